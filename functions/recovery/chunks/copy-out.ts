import { Readable } from 'node:stream';
import type { Client, Connection, Submittable } from 'pg';
import { readersOf, type SocketReader } from '../socket-readers.ts';

/** Backend message types of the PostgreSQL protocol that appear while a COPY runs. */
const copyData = 0x64;
const passedOver: ReadonlySet<number> = new Set([
  0x48, // CopyOutResponse
  0x4e, // NoticeResponse
  0x53, // ParameterStatus
  0x41, // NotificationResponse
]);
const headerBytes = 5;

/** Bytes collected before they are handed on: fewer, larger pieces cost the following stages less. */
const pieceBytes = 512 * 1024;

/**
 * The rows of one `COPY … TO STDOUT` as a stream of large pieces. It reads the connection's socket itself: each row is
 * copied once, from the socket's buffer into the piece, and no object is made per row. While its reader is behind
 * the socket is paused, and the server waits.
 *
 * Destroying it before its end drops what the server still sends; `settled` tells when the connection is free.
 */
export class CopyOut extends Readable implements Submittable {
  /** Rows as the server counted them; known when the stream has ended. */
  rows = 0;
  /** Resolves when the connection can be used again, whatever became of the stream. */
  readonly settled: Promise<void>;
  readonly #settle: () => void;
  readonly #sql: string;
  readonly #header = Buffer.alloc(headerBytes);
  #headerFilled = 0;
  #unread = 0;
  #keep = false;
  readonly #spare: Buffer<ArrayBuffer>[] = [];
  #piece = Buffer.allocUnsafeSlow(pieceBytes);
  #filled = 0;
  #socket: Connection['stream'] | undefined;

  constructor(sql: string) {
    // Pieces stay as they are: a byte stream would join those that wait into new ones.
    super({ objectMode: true, highWaterMark: 4 });
    this.#sql = sql;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.settled = promise;
    this.#settle = resolve;
  }

  /** Takes back a piece that is not needed any more: new memory for each would keep the garbage collector busy. */
  reuse(piece: Buffer): void {
    const { buffer } = piece;
    if (buffer instanceof ArrayBuffer && buffer.byteLength === pieceBytes)
      this.#spare.push(Buffer.from(buffer));
  }

  /** Called by the client when the connection is free. */
  submit(connection: Connection): void {
    const socket = connection.stream;
    const readers = readersOf(socket);
    const taker: SocketReader = (chunk) => {
      const rest = this.#take(chunk);
      if (rest === undefined) return;
      socket.off('data', taker);
      for (const reader of readers) socket.on('data', reader);
      this.#socket = undefined;
      this.#flush();
      socket.resume();
      for (const reader of readers) reader(rest);
    };
    for (const reader of readers) socket.off('data', reader);
    socket.on('data', taker);
    this.#socket = socket;
    connection.query(this.#sql);
  }

  /** Called by the client: the server or the connection failed. */
  handleError(error: Error): void {
    this.destroy(error);
    this.#settle();
  }

  /** Called by the client with the command's tag, `COPY <rows>`. */
  handleCommandComplete(message: { text?: string }): void {
    this.rows = Number(/^COPY (\d+)$/.exec(message.text ?? '')?.[1] ?? 0);
  }

  /** Called by the client when the connection is free again. */
  handleReadyForQuery(): void {
    if (!this.destroyed) this.push(null);
    this.#settle();
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket?.resume();
    done(error);
  }

  /** Takes the rows out of `chunk`; returns the messages after the last row, for the client to read. */
  #take(chunk: Buffer): Buffer | undefined {
    let at = 0;
    while (at < chunk.length) {
      if (this.#unread === 0) {
        const headerEnd = this.#readHeader(chunk, at);
        if (headerEnd === undefined) return undefined;
        at = headerEnd;
        const type = this.#header[0] ?? 0;
        if (type !== copyData && !passedOver.has(type)) {
          return Buffer.concat([this.#header, chunk.subarray(at)]);
        }
        this.#keep = type === copyData;
        this.#unread = this.#header.readUInt32BE(1) - 4;
        if (this.#unread === 0) continue;
      }
      const end = Math.min(chunk.length, at + this.#unread);
      this.#unread -= end - at;
      if (this.#keep) this.#append(chunk, at, end);
      at = end;
    }
    return undefined;
  }

  /** Reads a message's type and length, which may lie across chunks; returns where they end. */
  #readHeader(chunk: Buffer, start: number): number | undefined {
    const needed = headerBytes - this.#headerFilled;
    const end = Math.min(chunk.length, start + needed);
    for (let at = start; at < end; at++) this.#header[this.#headerFilled++] = chunk[at] ?? 0;
    if (this.#headerFilled < headerBytes) return undefined;
    this.#headerFilled = 0;
    return end;
  }

  #append(chunk: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      const copied = chunk.copy(this.#piece, this.#filled, at, end);
      this.#filled += copied;
      at += copied;
      if (this.#filled === pieceBytes) this.#flush();
    }
  }

  #flush(): void {
    if (this.#filled === 0) return;
    const piece = this.#piece.subarray(0, this.#filled);
    this.#piece = this.#spare.pop() ?? Buffer.allocUnsafeSlow(pieceBytes);
    this.#filled = 0;
    if (!this.destroyed && !this.push(piece)) this.#socket?.pause();
  }
}

/** Starts `sql`, a `COPY … TO STDOUT`, on a connected client. */
export function copyOut(client: Client, sql: string): CopyOut {
  return client.query(new CopyOut(sql));
}
