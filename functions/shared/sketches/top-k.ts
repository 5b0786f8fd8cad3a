/** What is counted of a key. The first is exact up to the sketch's error; the others only while the key is kept. */
export interface TopEntry {
  readonly key: string;
  count: number;
  /** Further sums, each at least what the sketch holds: what belonged to a key before it was kept is not in them. */
  bytes: number;
  hits: number;
}

/**
 * The keys that occur most often, of any number, in bounded memory: Misra and Gries’ summary, merged as in Agarwal et al.,
 * “Mergeable Summaries” (PODS 2012). While there are at most `capacity` keys it is exact. Beyond that, the count of a key
 * is at most `error` too low and never too high, whatever was merged in whatever order, and `error` is at most the total
 * divided by `capacity`.
 */
export class TopK {
  readonly capacity: number;
  readonly #entries = new Map<string, TopEntry>();
  #error = 0;
  #generation = 0;

  /** @param capacity how many keys are kept after a merge or a `shrink`; twice as many in between. */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 1) throw new RangeError('At least one key is kept');
    this.capacity = capacity;
  }

  /** How much the count of a key may be too low; of a key that is not kept, how often it may have occurred. */
  get error(): number {
    return this.#error;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Changes whenever keys are given up: entries that were handed out before count no more. */
  get generation(): number {
    return this.#generation;
  }

  /** The entry of a key, to be counted up by the caller before the next call. */
  entry(key: string): TopEntry {
    const found = this.#entries.get(key);
    if (found !== undefined) return found;
    if (this.#entries.size >= 2 * this.capacity) this.shrink();
    const made = { key, count: 0, bytes: 0, hits: 0 };
    this.#entries.set(key, made);
    return made;
  }

  /** Counts a key. */
  add(key: string, count = 1, bytes = 0, hits = 0): void {
    const entry = this.entry(key);
    entry.count += count;
    entry.bytes += bytes;
    entry.hits += hits;
  }

  /** Takes all that another one has counted. */
  merge(other: TopK): void {
    for (const { key, count, bytes, hits } of other.entries()) {
      const entry = this.#entries.get(key);
      if (entry === undefined) this.#entries.set(key, { key, count, bytes, hits });
      else {
        entry.count += count;
        entry.bytes += bytes;
        entry.hits += hits;
      }
    }
    this.#error += other.error;
    this.shrink();
  }

  /** Gives up keys until `capacity` are left: the count of the first that goes is taken from each, and added to the error. */
  shrink(): void {
    if (this.#entries.size <= this.capacity) return;
    const counts = Float64Array.from(this.#entries.values(), ({ count }) => count).sort();
    const least = counts[counts.length - this.capacity - 1] ?? 0;
    for (const entry of this.#entries.values()) {
      entry.count -= least;
      if (entry.count <= 0) this.#entries.delete(entry.key);
    }
    this.#error += least;
    this.#generation += 1;
  }

  /** The `limit` most frequent keys, most frequent first; equal ones by key. */
  top(limit: number): TopEntry[] {
    return [...this.entries()]
      .sort((one, other) => other.count - one.count || (one.key < other.key ? -1 : 1))
      .slice(0, limit);
  }

  entries(): IterableIterator<TopEntry> {
    return this.#entries.values();
  }

  /**
   * A sketch as it was before its entries were written somewhere.
   *
   * @throws RangeError when the numbers are none that a sketch has.
   */
  static of(capacity: number, error: number, entries: Iterable<TopEntry>): TopK {
    const sketch = new TopK(capacity);
    if (!(error >= 0)) throw new RangeError('An error is 0 or more');
    sketch.#error = error;
    for (const entry of entries) {
      if (!(entry.count >= 0) || sketch.#entries.size >= 2 * capacity)
        throw new RangeError('The sketch is damaged');
      sketch.#entries.set(entry.key, { ...entry });
    }
    return sketch;
  }
}
