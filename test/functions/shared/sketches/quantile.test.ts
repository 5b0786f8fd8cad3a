import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  QuantileSketch,
  sketchBuckets,
  sketchRange,
  sketchRelativeError,
} from '../../../../functions/shared/sketches/quantile.ts';

/** Values of all magnitudes in the range, and some that repeat. */
const magnitude = fc
  .double({ min: Math.log(sketchRange.smallest), max: Math.log(sketchRange.largest), noNaN: true })
  .map((log) => Math.min(Math.max(Math.exp(log), sketchRange.smallest), sketchRange.largest));
const value = fc.oneof(magnitude, fc.integer({ min: 1, max: 50 }), fc.constant(0));
const values = fc.array(value, { minLength: 1, maxLength: 200 });

function sketchOf(numbers: readonly number[]): QuantileSketch {
  const sketch = new QuantileSketch();
  for (const number of numbers) sketch.add(number);
  return sketch;
}

const merged = (...sketches: QuantileSketch[]) => {
  const all = new QuantileSketch();
  for (const sketch of sketches) all.merge(sketch);
  return all;
};

function exact(numbers: readonly number[], quantile: number): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(quantile * sorted.length) - 1)] ?? Number.NaN;
}

describe('a sketch of quantiles', () => {
  it('is within its relative error of the exact quantile, for any values of its range', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (numbers, quantile) => {
        const wanted = exact(numbers, quantile);
        const found = sketchOf(numbers).quantile(quantile) ?? Number.NaN;
        expect(Math.abs(found - wanted)).toBeLessThanOrEqual(sketchRelativeError * wanted);
      }),
      { numRuns: 500 },
    );
  });

  it('merges in any order and grouping to the sketch of all values, byte for byte', () => {
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        const [one, two, three] = [sketchOf(a), sketchOf(b), sketchOf(c)];
        const whole = sketchOf([...a, ...b, ...c]).toBytes();
        expect(merged(merged(one, two), three).toBytes()).toEqual(whole);
        expect(merged(three, merged(two, one)).toBytes()).toEqual(whole);
        expect(merged(one, two, three).count).toBe(a.length + b.length + c.length);
      }),
    );
  });

  it('is read back from its bytes as it was', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 2 ** 40 }), (numbers, times) => {
        const sketch = sketchOf(numbers);
        sketch.add(1, times);
        const read = QuantileSketch.fromBytes(sketch.toBytes());
        expect(read.toBytes()).toEqual(sketch.toBytes());
        expect(read.count).toBe(sketch.count);
      }),
    );
  });

  it('stays small over the whole of its range, and takes what lies outside as its ends', () => {
    const sketch = new QuantileSketch();
    for (let number = sketchRange.smallest; number <= sketchRange.largest; number *= 1.005)
      sketch.add(number);
    for (const number of [0, -1, Number.POSITIVE_INFINITY, 1e300]) sketch.add(number);
    expect(sketch.toBytes().length).toBeLessThanOrEqual(2 * sketchBuckets + 8);
    expect(sketch.quantile(0)).toBe(0);
    const largest = sketch.quantile(1) ?? 0;
    expect(Math.abs(largest / sketchRange.largest - 1)).toBeLessThanOrEqual(2 * sketchRelativeError);
  });

  it('counts values up to a bound, which histograms are made of', () => {
    const sketch = sketchOf([1, 10, 100, 1_000]);
    expect([0.5, 1, 50, 100, 1e9].map((bound) => sketch.countUpTo(bound))).toEqual([0, 1, 2, 3, 4]);
  });

  it('has no quantile without values, and refuses what is none', () => {
    const sketch = new QuantileSketch();
    expect(sketch.quantile(0.5)).toBeUndefined();
    expect(() => sketch.add(Number.NaN)).toThrow(RangeError);
    expect(() => sketch.add(1, 0)).toThrow(RangeError);
    expect(() => sketch.quantile(1.1)).toThrow(RangeError);
  });

  it.each([
    [[]],
    [[9]],
    [[1, 5]],
    [[1, 5, 0]],
    [[1, 0xff, 0xff, 0x7f, 1]],
    [[1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ])('refuses the bytes %j', (bytes) => {
    expect(() => QuantileSketch.fromBytes(Uint8Array.from(bytes))).toThrow(RangeError);
  });
});
