import type { Client } from 'pg';
import { readersOf, type SocketReader } from '../socket-readers.ts';
import type { SharedInbox } from './shared-inbox.ts';
import { AnswerTracker } from './wire.ts';

/** Bytes read from the server ahead of the other thread, before the server has to wait. */
const readAheadBytes = 1024 * 1024;
/** How long the server may take to finish an answer that nobody waits for any more. */
const settleMs = 30_000;

/** A client's connection while another thread speaks on it through an inbox. */
export class BorrowedSocket {
  /** Resolves when the connection breaks while it is borrowed. */
  readonly closed: Promise<void>;
  readonly #socket: Client['connection']['stream'];
  readonly #inbox: SharedInbox;
  readonly #readers: SocketReader[];
  readonly #answers = new AnswerTracker();
  readonly #onData: SocketReader;
  readonly #onClose: () => void;
  #waiting: Buffer = Buffer.alloc(0);
  #wanted = false;
  #settled: () => void = () => {};

  constructor(client: Client, inbox: SharedInbox) {
    this.#socket = client.connection.stream;
    this.#inbox = inbox;
    this.#readers = readersOf(this.#socket);
    this.#onData = (chunk) => this.#receive(chunk);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#onClose = () => {
      inbox.close();
      resolve();
      this.#settled();
    };
    for (const reader of this.#readers) this.#socket.off('data', reader);
    this.#socket.on('data', this.#onData);
    this.#socket.once('close', this.#onClose);
  }

  /** @param asking whether an answer is to come. */
  send(bytes: Uint8Array, asking: boolean): void {
    if (asking) this.#answers.asked();
    this.#socket.write(bytes);
  }

  /** The other thread waits for what comes next. */
  serve(): void {
    this.#wanted = true;
    this.#hand();
  }

  /** Gives the connection back to its client, as soon as the server has said all it has to say. */
  async giveBack(): Promise<void> {
    this.#waiting = Buffer.alloc(0);
    this.#wanted = false;
    this.#socket.resume();
    if (!this.#answers.ready) {
      const timer = setTimeout(() => this.#socket.destroy(), settleMs);
      await new Promise<void>((resolve) => {
        this.#settled = resolve;
        if (this.#answers.ready || this.#socket.destroyed) resolve();
      });
      clearTimeout(timer);
    }
    this.#socket.off('data', this.#onData);
    this.#socket.off('close', this.#onClose);
    for (const reader of this.#readers) this.#socket.on('data', reader);
  }

  #receive(chunk: Buffer): void {
    this.#answers.received(chunk);
    this.#waiting = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk]);
    if (this.#waiting.length >= readAheadBytes) this.#socket.pause();
    this.#hand();
    if (this.#answers.ready) this.#settled();
  }

  #hand(): void {
    if (!this.#wanted) return;
    if (this.#waiting.length > 0) this.#waiting = this.#waiting.subarray(this.#inbox.put(this.#waiting));
    else if (this.#answers.ready) this.#inbox.putNothing();
    else return;
    this.#wanted = false;
    if (this.#waiting.length < readAheadBytes) this.#socket.resume();
  }
}
