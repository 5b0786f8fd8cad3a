import type { TopEntry, TopK } from '../../shared/sketches/top-k.ts';
import { ByteTable } from './byte-table.ts';
import { place } from './columns.ts';
import type { LogLine } from './log-line.ts';
import { type Outcome, outcomeOf } from './outcome.ts';
import { Traffic } from './traffic.ts';

/** Longer keys are counted by how they begin. In bytes. */
export const longestKey = 512;
/** Latencies below this are counted by the millisecond, and put into the sketch at the end. */
const exactMs = 2_048;

/** Counts the lines of one interval and one tenant. */
export class LineCounter {
  readonly #traffic = new Traffic();
  readonly #paths = new CountedKeys(this.#traffic.paths);
  readonly #countries = new CountedKeys(this.#traffic.countries);
  readonly #edges = new CountedKeys(this.#traffic.edges);
  readonly #contentTypes = new CountedKeys(this.#traffic.contentTypes);
  readonly #outcomes = new ByteTable<Outcome>();
  readonly #latencies = new Float64Array(exactMs);
  /** Two independent hashes of a visitor. */
  readonly #hash = new Int32Array(2);

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
    return this.#traffic;
  }

  #addLatency(ms: number): void {
    const whole = Math.round(ms);
    if (whole < exactMs) this.#latencies[whole] = (this.#latencies[whole] ?? 0) + 1;
    else this.#traffic.latencyMs.add(whole);
  }

  #outcomeOf({ buffer, starts, ends }: LogLine): Outcome {
    const [start, end] = [starts[place.result] ?? 0, ends[place.result] ?? 0];
    // Anything may stand there; the words that mean something are a few.
    if (this.#outcomes.size > 1_000) this.#outcomes.clear();
    return this.#outcomes.find(buffer, start, Math.min(end, start + 40), outcomeOf);
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

/** Adds bytes to two hashes, four at a time, by the steps of MurmurHash3 (Austin Appleby) with two sets of constants. */
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
  for (; at + 4 <= end; at += 4) {
    const word = view.getInt32(at, true);
    one = Math.imul(rotate(one ^ Math.imul(word, 0xcc9e2d51), 13), 5) + 0xe6546b64;
    other = Math.imul(rotate(other ^ Math.imul(word, 0x239b961b), 17), 5) + 0x38495ab5;
  }
  for (; at < end; at += 1) {
    const byte = (buffer[at] ?? 0) + 1;
    one = Math.imul(rotate(one ^ Math.imul(byte, 0xcc9e2d51), 13), 5) + 0xe6546b64;
    other = Math.imul(rotate(other ^ Math.imul(byte, 0x239b961b), 17), 5) + 0x38495ab5;
  }
  hash[0] = one ^ (end - start);
  hash[1] = other ^ (end - start);
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

/** Counts keys that come as bytes. */
class CountedKeys {
  readonly #ranking: TopK;
  readonly #table = new ByteTable<TopEntry>();
  #generation = 0;

  constructor(ranking: TopK) {
    this.#ranking = ranking;
  }

  add({ buffer, starts, ends }: LogLine, column: number, bytes: number, hit: number): void {
    const start = starts[column] ?? 0;
    const end = ends[column] ?? 0;
    if (end <= start) return;
    const entry = this.#table.find(buffer, start, Math.min(end, start + longestKey), (key) =>
      this.#ranking.entry(key),
    );
    entry.count += 1;
    entry.bytes += bytes;
    entry.hits += hit;
    if (this.#generation === this.#ranking.generation) return;
    // Keys were given up: those that are left are looked up anew.
    this.#generation = this.#ranking.generation;
    this.#table.clear();
  }
}
