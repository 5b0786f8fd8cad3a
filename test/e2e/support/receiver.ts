import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { waitFor } from '../../support/wait-for.ts';

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** An HTTP server that webhooks can call, on this machine. */
export class Receiver {
  readonly received: Received[] = [];
  /** What it answers next; the last one stays. */
  statuses = [204];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('request', (request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        receiver.received.push({ headers: request.headers, body: Buffer.concat(pieces).toString('utf8') });
        const [status = 204] = receiver.statuses;
        if (receiver.statuses.length > 1) receiver.statuses.shift();
        response.writeHead(status).end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The receiver does not listen.');
    return `http://127.0.0.1:${address.port}/hooks`;
  }

  /** Waits until something has been received that `wanted` accepts. */
  async until(what: string, wanted: (received: Received) => boolean): Promise<Received> {
    return waitFor(async () => this.received.find(wanted), { what, intervalMs: 100 });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
