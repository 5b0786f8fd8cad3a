import { readVarint, writeVarint } from './varint.ts';

/** Bits of a hash that choose the register. */
const precision = 12;
const registers = 1 << precision;
/** Bits of a hash that are looked at for the rank. */
const rankBits = 32;

/** The standard error of an estimate, relative to it: 1.04 / √registers. */
export const distinctStandardError = 1.04 / Math.sqrt(registers);

/** The first byte of a serialised sketch: its form and precision. */
const format = 1;

/**
 * Counts distinct things without keeping them: HyperLogLog (Flajolet et al., 2007) with the estimator of Ertl, “New
 * cardinality estimation algorithms for HyperLogLog sketches” (2017), which needs no tables of corrections. Merging takes the
 * larger of two registers: associative, commutative, and idempotent.
 */
export class DistinctSketch {
  readonly #ranks = new Uint8Array(registers);

  /**
   * Takes a thing by its hash.
   *
   * @param one 32 well mixed bits.
   * @param other 32 more, independent of the first.
   */
  add(one: number, other: number): void {
    const register = one >>> (32 - precision);
    const rank = Math.clz32(other) + 1;
    if (rank > (this.#ranks[register] ?? 0)) this.#ranks[register] = rank;
  }

  /** Takes all that another sketch has taken. */
  merge(other: DistinctSketch): void {
    for (let register = 0; register < registers; register += 1) {
      const rank = other.#ranks[register] ?? 0;
      if (rank > (this.#ranks[register] ?? 0)) this.#ranks[register] = rank;
    }
  }

  /** How many distinct things it has taken, about. */
  estimate(): number {
    const counts = new Float64Array(rankBits + 2);
    for (const rank of this.#ranks) counts[rank] = (counts[rank] ?? 0) + 1;
    let z = registers * tau(1 - (counts[rankBits + 1] ?? 0) / registers);
    for (let rank = rankBits; rank >= 1; rank -= 1) z = 0.5 * (z + (counts[rank] ?? 0));
    z += registers * sigma((counts[0] ?? 0) / registers);
    return Math.round((registers * registers) / (2 * Math.LN2 * z));
  }

  /** The sketch in at most 8 KiB and a byte, far less for few things: equal sketches give equal bytes. */
  toBytes(): Uint8Array {
    const bytes = [format];
    let gap = 0;
    for (const rank of this.#ranks) {
      if (rank === 0) gap += 1;
      else {
        writeVarint(bytes, gap * 64 + rank);
        gap = 0;
      }
    }
    return Uint8Array.from(bytes);
  }

  /**
   * Reads what `toBytes` has written.
   *
   * @throws RangeError when it is none.
   */
  static fromBytes(bytes: Uint8Array): DistinctSketch {
    if (bytes[0] !== format) throw new RangeError('These are not the bytes of a sketch of distinct things');
    const sketch = new DistinctSketch();
    let register = -1;
    for (let at = 1; at < bytes.length; ) {
      const { value, next } = readVarint(bytes, at);
      register += Math.floor(value / 64) + 1;
      const rank = value % 64;
      if (register >= registers || rank < 1 || rank > rankBits + 1)
        throw new RangeError('The sketch is damaged');
      sketch.#ranks[register] = rank;
      at = next;
    }
    return sketch;
  }
}

function sigma(x: number): number {
  if (x === 1) return Number.POSITIVE_INFINITY;
  let power = x;
  let factor = 1;
  let sum = x;
  for (let before = Number.NaN; sum !== before; ) {
    power *= power;
    before = sum;
    sum += power * factor;
    factor += factor;
  }
  return sum;
}

function tau(x: number): number {
  if (x === 0 || x === 1) return 0;
  let root = x;
  let factor = 1;
  let sum = 1 - x;
  for (let before = Number.NaN; sum !== before; ) {
    root = Math.sqrt(root);
    before = sum;
    factor *= 0.5;
    sum -= (1 - root) ** 2 * factor;
  }
  return sum / 3;
}
