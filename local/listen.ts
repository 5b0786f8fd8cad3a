import type { Server } from 'node:net';

/**
 * Lets a server listen on the preferred port, or on any free one when that is taken or not allowed.
 *
 * @param preferredPort 0 for any free port.
 * @returns the port.
 */
export async function listen(server: Server, host: string, preferredPort: number): Promise<number> {
  try {
    await attempt(server, host, preferredPort);
  } catch (error) {
    if (preferredPort === 0 || !isTaken(error)) throw error;
    await attempt(server, host, 0);
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no TCP address.');
  return address.port;
}

function attempt(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      server.off('listening', listening);
      reject(error);
    };
    const listening = (): void => {
      server.off('error', failed);
      resolve();
    };
    server.once('error', failed).once('listening', listening).listen(port, host);
  });
}

function isTaken(error: unknown): boolean {
  return (
    typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    (error.code === 'EADDRINUSE' || error.code === 'EACCES')
  );
}
