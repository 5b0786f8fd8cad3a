import { createHash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import type { StageMeasure } from './stage.ts';

/** Passes a stream on unchanged and computes the SHA-256 of it. */
export class HashStage extends Transform {
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #busyMs = 0;
  #digest: string | undefined;

  override _transform(piece: Buffer, _encoding: string, done: TransformCallback): void {
    const started = performance.now();
    this.#hash.update(piece);
    this.#busyMs += performance.now() - started;
    this.#bytes += piece.length;
    done(null, piece);
  }

  /** Hex digest of everything that has passed; the stream has to have ended. */
  get sha256(): string {
    this.#digest ??= this.#hash.digest('hex');
    return this.#digest;
  }

  get measure(): StageMeasure {
    return { bytesIn: this.#bytes, bytesOut: this.#bytes, busyMs: this.#busyMs };
  }
}
