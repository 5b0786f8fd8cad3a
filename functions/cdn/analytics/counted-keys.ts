import { TopK } from '../../shared/sketches/top-k.ts';
import { ByteTable } from './byte-table.ts';
import type { LogLine } from './log-line.ts';

/** Longer keys are counted by how they begin. In bytes. */
export const longestKey = 512;

/**
 * Counts keys that come as bytes: what {@link TopK} does, with the same bound of its error, in arrays of numbers and with no text until
 * the end.
 */
export class CountedKeys {
  readonly #capacity: number;
  readonly #most: number;
  readonly #table = new ByteTable();
  #counts = new Float64Array(32);
  #bytes = new Float64Array(32);
  #hits = new Float64Array(32);
  #error = 0;

  /**
   * @param capacity how many keys are left at the end.
   * @param slack how many times as many are kept meanwhile: with more, keys are given up less often, and the error is less.
   */
  constructor(capacity: number, slack = 2) {
    this.#capacity = capacity;
    this.#most = capacity * slack;
  }

  add({ buffer, view, starts, ends }: LogLine, column: number, bytes: number, hit: number): void {
    const start = starts[column] ?? 0;
    const end = ends[column] ?? 0;
    if (end <= start) return;
    const known = this.#table.size;
    const index = this.#table.numberOf(buffer, view, start, Math.min(end, start + longestKey));
    if (index === known && index === this.#counts.length) this.#grow();
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#bytes[index] = (this.#bytes[index] ?? 0) + bytes;
    this.#hits[index] = (this.#hits[index] ?? 0) + hit;
    if (known >= this.#most) this.#shrink();
  }

  /** What was counted. */
  finish(): TopK {
    if (this.#table.size > 2 * this.#capacity) this.#shrink();
    const ranking = TopK.of(this.#capacity, this.#error, []);
    for (let index = 0; index < this.#table.size; index += 1) {
      // Sequences of bytes that are no text may read the same.
      const sums = [this.#counts[index], this.#bytes[index], this.#hits[index]] as const;
      const [count = 0, bytes = 0, hits = 0] = sums;
      ranking.add(this.#table.textOf(index), count, bytes, hits);
    }
    return ranking;
  }

  /** Gives up keys until at most `capacity` are left, as {@link TopK.shrink} does. */
  #shrink(): void {
    const { size } = this.#table;
    const sorted = this.#counts.slice(0, size).sort();
    const least = sorted[size - this.#capacity - 1] ?? 0;
    const stays = new Int32Array(this.#capacity);
    let left = 0;
    for (let index = 0; index < size; index += 1) {
      const count = (this.#counts[index] ?? 0) - least;
      if (count <= 0) continue;
      stays[left] = index;
      this.#counts[left] = count;
      this.#bytes[left] = this.#bytes[index] ?? 0;
      this.#hits[left] = this.#hits[index] ?? 0;
      left += 1;
    }
    for (const sums of [this.#counts, this.#bytes, this.#hits]) sums.fill(0, left, size);
    this.#table.keep(stays.subarray(0, left));
    this.#error += least;
  }

  #grow(): void {
    const larger = (sums: Float64Array): Float64Array<ArrayBuffer> => {
      const copy = new Float64Array(sums.length * 2);
      copy.set(sums);
      return copy;
    };
    this.#counts = larger(this.#counts);
    this.#bytes = larger(this.#bytes);
    this.#hits = larger(this.#hits);
  }
}
