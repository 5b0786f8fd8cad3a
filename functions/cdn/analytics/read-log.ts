import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { LogAccumulator } from './accumulator.ts';

const newline = 0x0a;
/** Longer lines are counted as bad and not looked at. CloudFront logs no URL of more than 8 KiB, nor more than 20 KiB of headers. */
const longestLine = 256 * 1024;

/**
 * Reads a log, compressed with gzip or not, and counts its lines. Whatever its size, a few chunks of it are in memory.
 *
 * @throws what the source throws, and zlib’s errors for a damaged or cut file.
 */
export async function readLog(source: AsyncIterable<Buffer>, accumulator: LogAccumulator): Promise<void> {
  const lines = new LineChunks(accumulator);
  for await (const chunk of await unpacked(source)) lines.add(chunk);
  lines.end();
}

async function unpacked(source: AsyncIterable<Buffer>): Promise<AsyncIterable<Buffer>> {
  const iterator = source[Symbol.asyncIterator]();
  const begun: Buffer[] = [];
  let head: Buffer<ArrayBufferLike> = Buffer.alloc(0);
  // The first piece may be shorter than what tells the two apart.
  while (head.length < 2) {
    const { done, value } = await iterator.next();
    if (done === true) break;
    begun.push(value);
    head = Buffer.concat([head, value.subarray(0, 2)]);
  }
  async function* whole(): AsyncGenerator<Buffer> {
    yield* begun;
    yield* { [Symbol.asyncIterator]: () => iterator };
  }
  if (head[0] !== 0x1f || head[1] !== 0x8b) return whole();
  const gunzip = createGunzip({ chunkSize: 256 * 1024 });
  // Errors of the source reach the reader of the stream.
  return pipeline(Readable.from(whole(), { objectMode: false }), gunzip, () => undefined);
}

/** Cuts what arrives into whole lines. */
class LineChunks {
  readonly #accumulator: LogAccumulator;
  #carry: Buffer[] = [];
  #carried = 0;
  #skipping = false;

  constructor(accumulator: LogAccumulator) {
    this.#accumulator = accumulator;
  }

  add(chunk: Buffer): void {
    const first = chunk.indexOf(newline);
    if (first < 0) {
      this.#keep(chunk);
      return;
    }
    let from = 0;
    if (this.#carried > 0 || this.#skipping) {
      this.#keep(chunk.subarray(0, first + 1));
      this.#flush();
      from = first + 1;
    }
    const last = chunk.lastIndexOf(newline) + 1;
    if (last > from) this.#accumulator.add(chunk.subarray(from, last));
    if (last < chunk.length) this.#keep(chunk.subarray(last));
  }

  end(): void {
    this.#flush();
  }

  #keep(part: Buffer): void {
    if (this.#carried + part.length > longestLine) {
      this.#skipping = true;
      this.#carry = [];
    }
    this.#carried += part.length;
    // A copy: streams may use their chunks again.
    if (!this.#skipping) this.#carry.push(Buffer.from(part));
  }

  #flush(): void {
    if (this.#skipping) this.#accumulator.addUnreadable();
    else if (this.#carried > 0) this.#accumulator.add(Buffer.concat(this.#carry));
    this.#carry = [];
    this.#carried = 0;
    this.#skipping = false;
  }
}
