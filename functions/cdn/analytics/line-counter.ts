import { ByteTable } from './byte-table.ts';
import { place } from './columns.ts';
import { CountedKeys } from './counted-keys.ts';
import type { LogLine } from './log-line.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { capacities, Traffic } from './traffic.ts';

/** Latencies below this are counted by the millisecond, and put into the sketch at the end. */
const exactMs = 2_048;

/** Counts the lines of one interval and one tenant. */
export class LineCounter {
  readonly #traffic = new Traffic();
  readonly #paths: CountedKeys;
  readonly #countries = new CountedKeys(capacities.countries);
  readonly #edges = new CountedKeys(capacities.edges);
  readonly #contentTypes = new CountedKeys(capacities.contentTypes);
  readonly #words = new ByteTable();
  /** By the numbers of the words. */
  readonly #outcomes: Outcome[] = [];
  readonly #latencies = new Float64Array(exactMs);
  /** Two independent hashes of a visitor. */
  readonly #hash = new Int32Array(2);

  /** @param slack how many times as many paths are kept as in the end: with more, keys are given up less often. */
  constructor(slack: number) {
    this.#paths = new CountedKeys(capacities.paths, slack);
  }

  /**
   * @param status 0 where there is none.
   * @param latencyMs undefined where there is none.
   */
  add(line: LogLine, status: number, bytes: number, latencyMs: number | undefined): void {
    const traffic = this.#traffic;
    const outcome = this.#outcomeOf(line);
    const hit = outcome === 'hit' ? 1 : 0;
    traffic.requests += 1;
    traffic.bytes += bytes;
    if (hit === 1) {
      traffic.hits += 1;
      traffic.hitBytes += bytes;
    } else if (outcome === 'miss') {
      traffic.misses += 1;
      traffic.missBytes += bytes;
    }
    const kind = Math.min(5, Math.floor(status / 100));
    traffic.statuses[kind] = (traffic.statuses[kind] ?? 0) + 1;
    this.#paths.add(line, place.path, bytes, hit);
    this.#countries.add(line, place.country, bytes, hit);
    this.#edges.add(line, place.edge, bytes, hit);
    this.#contentTypes.add(line, place.contentType, bytes, hit);
    if (latencyMs !== undefined) this.#addLatency(latencyMs);
    this.#addVisitor(line);
  }

  /** What was counted; nothing may be added afterwards. */
  finish(): Traffic {
    this.#latencies.forEach((count, ms) => {
      if (count > 0) this.#traffic.latencyMs.add(ms, count);
    });
    const { latencyMs, visitors, statuses, ...traffic } = this.#traffic;
    const { requests, bytes, hits, misses, hitBytes, missBytes } = traffic;
    const whole = new Traffic({
      ...{ latencyMs, visitors, paths: this.#paths.finish(), countries: this.#countries.finish() },
      ...{ edges: this.#edges.finish(), contentTypes: this.#contentTypes.finish() },
    });
    whole.statuses.set(statuses);
    return Object.assign(whole, { requests, bytes, hits, misses, hitBytes, missBytes });
  }

  #addLatency(ms: number): void {
    const whole = Math.round(ms);
    if (whole < exactMs) this.#latencies[whole] = (this.#latencies[whole] ?? 0) + 1;
    else this.#traffic.latencyMs.add(whole);
  }

  #outcomeOf({ buffer, view, starts, ends }: LogLine): Outcome {
    const [start, end] = [starts[place.result] ?? 0, ends[place.result] ?? 0];
    // Anything may stand there; the words that mean something are a few.
    if (this.#words.size > 1_000) this.#words.clear();
    const known = this.#words.size;
    const number = this.#words.numberOf(buffer, view, start, Math.min(end, start + 40));
    if (number === known) this.#outcomes[number] = outcomeOf(this.#words.textOf(number));
    return this.#outcomes[number] ?? 'other';
  }

  /** A visitor is an address with a browser. Only hashes are kept, and of them a few bits. */
  #addVisitor(line: LogLine): void {
    const address = line.ends[place.address] ?? 0;
    if (address === 0) return;
    hashInto(this.#hash, line, line.starts[place.address] ?? 0, address, true);
    hashInto(this.#hash, line, line.starts[place.agent] ?? 0, line.ends[place.agent] ?? 0, false);
    this.#traffic.visitors.add(mix(this.#hash[0] ?? 0), mix(this.#hash[1] ?? 0));
  }
}

/**
 * Adds bytes to two hashes, four bytes at a time, by the steps of MurmurHash3 (Austin Appleby) with constants of its own for each. Words go
 * to the one and to the other by turns; at the end each has all of the other.
 */
function hashInto(
  hash: Int32Array,
  { buffer, view }: LogLine,
  start: number,
  end: number,
  first: boolean,
): void {
  let one = first ? 0x2f0b4f1d : (hash[0] ?? 0);
  let other = first ? 0x165667b1 : (hash[1] ?? 0);
  let at = start;
  for (; at + 8 <= end; at += 8) {
    one = (Math.imul(rotate(one ^ Math.imul(view.getInt32(at, true), 0xcc9e2d51), 13), 5) + 0xe6546b64) | 0;
    other =
      (Math.imul(rotate(other ^ Math.imul(view.getInt32(at + 4, true), 0x239b961b), 17), 5) + 0x38495ab5) | 0;
  }
  for (; at < end; at += 1) {
    const byte = (buffer[at] ?? 0) + 1;
    one = (Math.imul(rotate(one ^ Math.imul(byte, 0xcc9e2d51), 13), 5) + 0xe6546b64) | 0;
    other = (Math.imul(rotate(other ^ Math.imul(byte, 0x239b961b), 17), 5) + 0x38495ab5) | 0;
  }
  one = Math.imul(one ^ (end - start), 0x85ebca6b) ^ rotate(other, 15);
  hash[0] = one;
  hash[1] = Math.imul(other ^ (end - start), 0xc2b2ae35) ^ rotate(one, 13);
}

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits));

/** The last step of MurmurHash3: every bit of the result depends on every bit of the hash. */
function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
