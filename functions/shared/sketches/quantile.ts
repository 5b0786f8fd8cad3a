import { readVarint, writeVarint } from './varint.ts';

/** How far a quantile of a sketch may be from the exact one, relative to it, within `sketchRange`. */
export const sketchRelativeError = 0.01;

/**
 * The values that the relative error holds for, in whatever unit. Smaller ones, also negative ones, count as 0; larger ones as
 * the largest. The range bounds the number of buckets, so that nothing ever has to be collapsed.
 */
export const sketchRange = { smallest: 1e-3, largest: 1e12 } as const;

// A little finer than declared, so that the rounding of a logarithm cannot carry a value over the bound.
const accuracy = sketchRelativeError * 0.99;
const gamma = (1 + accuracy) / (1 - accuracy);
const logGamma = Math.log(gamma);
const bucketOf = (value: number) => Math.ceil(Math.log(value / sketchRange.smallest) / logGamma);

/** The most buckets a sketch has; it takes about 2 to 4 bytes for each that is in use. */
export const sketchBuckets = bucketOf(sketchRange.largest) + 2;

/** The first byte of a serialised sketch: its form, and the accuracy its buckets have. */
const format = 1;

/**
 * A mergeable sketch of quantiles: DDSketch (Masson, Rim, Lee: “DDSketch: A Fast and Fully-Mergeable Quantile Sketch with
 * Relative-Error Guarantees”, VLDB 2019), with its buckets fixed in advance. Buckets are counts, so that merging is adding:
 * in any order and grouping, the result is that of one sketch of all values.
 */
export class QuantileSketch {
  /** Bucket 0 holds what counts as 0; bucket i + 1 the values in (γ^(i-1), γ^i] times the smallest. */
  readonly #counts = new Map<number, number>();
  #count = 0;

  /** How many values it has taken. */
  get count(): number {
    return this.#count;
  }

  /**
   * Takes a value, `times` times.
   *
   * @throws RangeError for what is no number, or no count.
   */
  add(value: number, times = 1): void {
    if (Number.isNaN(value)) throw new RangeError('A sketch takes numbers');
    if (!Number.isSafeInteger(times) || times < 1) throw new RangeError('A value is counted 1 time or more');
    this.#addBucket(indexOf(value), times);
  }

  /** Takes all that another sketch has taken. */
  merge(other: QuantileSketch): void {
    for (const [index, count] of [...other.#counts]) this.#addBucket(index, count);
  }

  /**
   * The value at the rank ⌈quantile × count⌉ (the smallest one for 0), within the relative error; undefined when it has
   * taken none.
   *
   * @param quantile from 0 to 1.
   */
  quantile(quantile: number): number | undefined {
    if (!(quantile >= 0 && quantile <= 1)) throw new RangeError('A quantile is between 0 and 1');
    const rank = Math.max(1, Math.ceil(quantile * this.#count));
    let seen = 0;
    for (const [index, count] of this.#sorted()) {
      seen += count;
      if (seen >= rank) return midpointOf(index);
    }
    return undefined;
  }

  /** How many of the values are at most `bound`, give or take the bucket that it is in: what histograms are made of. */
  countUpTo(bound: number): number {
    const last = indexOf(bound);
    let count = 0;
    for (const [index, times] of this.#counts) if (index <= last) count += times;
    return count;
  }

  /** The sketch in a few bytes: equal sketches give equal bytes. */
  toBytes(): Uint8Array {
    const bytes = [format];
    let before = 0;
    for (const [index, count] of this.#sorted()) {
      writeVarint(bytes, index - before);
      writeVarint(bytes, count);
      before = index;
    }
    return Uint8Array.from(bytes);
  }

  /**
   * Reads what `toBytes` has written.
   *
   * @throws RangeError when it is none.
   */
  static fromBytes(bytes: Uint8Array): QuantileSketch {
    if (bytes[0] !== format) throw new RangeError('These are not the bytes of a sketch of quantiles');
    const sketch = new QuantileSketch();
    let index = 0;
    for (let at = 1; at < bytes.length; ) {
      const gap = readVarint(bytes, at);
      const count = readVarint(bytes, gap.next);
      index += gap.value;
      if (index >= sketchBuckets || count.value < 1) throw new RangeError('The sketch is damaged');
      sketch.#addBucket(index, count.value);
      at = count.next;
    }
    return sketch;
  }

  #addBucket(index: number, times: number): void {
    this.#counts.set(index, (this.#counts.get(index) ?? 0) + times);
    this.#count += times;
  }

  #sorted(): [index: number, count: number][] {
    return [...this.#counts].sort(([one], [other]) => one - other);
  }
}

function indexOf(value: number): number {
  if (value < sketchRange.smallest) return 0;
  return value >= sketchRange.largest ? sketchBuckets - 1 : bucketOf(value) + 1;
}

/** The value whose relative distance to both ends of the bucket is the same. */
function midpointOf(index: number): number {
  return index === 0 ? 0 : (sketchRange.smallest * 2 * gamma ** (index - 1)) / (gamma + 1);
}
