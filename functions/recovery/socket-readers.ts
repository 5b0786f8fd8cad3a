import type { Connection } from 'pg';

/** Takes what comes in on a connection's socket. */
export type SocketReader = (chunk: Buffer) => void;

/** The readers that a client has put on its connection's socket: whoever borrows the socket puts them back. */
export function readersOf(socket: Connection['stream']): SocketReader[] {
  return socket.listeners('data').filter(isReader);
}

const isReader = (listener: unknown): listener is SocketReader => typeof listener === 'function';
