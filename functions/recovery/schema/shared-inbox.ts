/** Bytes that are handed over at a time. */
const sliceBytes = 256 * 1024;

const empty = 0;
const closed = -1;
const idle = -2;

/**
 * Hands bytes to a thread that blocks until they are there. One slice is in the memory at a time; the reader
 * asks for each with a message, so that nothing piles up between the threads.
 */
export class SharedInbox {
  readonly memory: SharedArrayBuffer;
  readonly #state: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT + sliceBytes)) {
    this.memory = memory;
    this.#state = new Int32Array(memory, 0, 1);
    this.#bytes = new Uint8Array(memory, Int32Array.BYTES_PER_ELEMENT);
  }

  /** Writer: puts in as much of `data` as fits and wakes the reader; returns how much that was. */
  put(data: Uint8Array): number {
    const slice = data.subarray(0, this.#bytes.length);
    this.#bytes.set(slice);
    this.#signal(slice.length);
    return slice.length;
  }

  /** Writer: tells the reader that there is nothing to wait for, because nothing was asked. */
  putNothing(): void {
    this.#signal(idle);
  }

  /** Writer: tells the reader that nothing will come any more. */
  close(): void {
    this.#signal(closed);
  }

  /**
   * Reader: blocks until the writer answers.
   * @returns the bytes; none where nothing was asked. Valid until the next call.
   * @throws Error when the writer has closed.
   */
  take(): Uint8Array {
    let length: number;
    // The call that wakes may come late, for what has been taken already.
    do {
      Atomics.wait(this.#state, 0, empty);
      length = Atomics.exchange(this.#state, 0, empty);
    } while (length === empty);
    if (length === closed) throw new Error('The connection to the database has ended.');
    return length === idle ? new Uint8Array() : this.#bytes.subarray(0, length);
  }

  #signal(value: number): void {
    Atomics.store(this.#state, 0, value);
    Atomics.notify(this.#state, 0);
  }
}
