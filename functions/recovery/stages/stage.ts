import './external-memory.ts';
import { type Duplex, Transform, type TransformCallback } from 'node:stream';

/** What a stage did: bytes that came in and went out, and the time it had a piece in hand. */
export interface StageMeasure {
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Milliseconds of work; waiting for input or for the next stage to take output does not count. */
  readonly busyMs: number;
}

/**
 * Makes a stage of a pipeline out of any duplex stream and measures it. Backpressure passes through in both
 * directions: while the next stage does not read, the inner stream is paused.
 */
export class Stage extends Transform {
  readonly #inner: Duplex;
  readonly #consumed: ((piece: Buffer) => void) | undefined;
  #bytesIn = 0;
  #bytesOut = 0;
  #busyMs = 0;
  #blockedMs = 0;
  #blockedSince: number | undefined;

  /** @param consumed hears of each piece of input that the inner stream is through with. */
  constructor(inner: Duplex, highWaterMark: number, consumed?: (piece: Buffer) => void) {
    super({ highWaterMark });
    this.#inner = inner;
    this.#consumed = consumed;
    inner.on('data', (piece: Buffer) => {
      this.#bytesOut += piece.length;
      if (!this.push(piece)) {
        inner.pause();
        this.#blockedSince ??= performance.now();
      }
    });
    inner.on('error', (error) => this.destroy(error));
  }

  get measure(): StageMeasure {
    return { bytesIn: this.#bytesIn, bytesOut: this.#bytesOut, busyMs: this.#busyMs };
  }

  override _transform(piece: Buffer, _encoding: string, done: TransformCallback): void {
    this.#bytesIn += piece.length;
    const finish = this.#clock(done);
    this.#inner.write(piece, () => {
      this.#consumed?.(piece);
      finish();
    });
  }

  override _flush(done: TransformCallback): void {
    const finish = this.#clock(done);
    this.#inner.once('end', () => finish());
    this.#inner.end();
  }

  override _read(size: number): void {
    if (this.#blockedSince !== undefined) {
      this.#blockedMs += performance.now() - this.#blockedSince;
      this.#blockedSince = undefined;
      this.#inner.resume();
    }
    super._read(size);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#inner.destroy();
    done(error);
  }

  /** Counts the time until `done` as work, less what of it was spent blocked. */
  #clock(done: TransformCallback): () => void {
    const started = performance.now();
    const blockedBefore = this.#blockedMs;
    return () => {
      this.#busyMs += Math.max(0, performance.now() - started - (this.#blockedMs - blockedBefore));
      done();
    };
  }
}
