import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DistinctSketch, distinctStandardError } from '../../../../functions/shared/sketches/distinct.ts';

function add(sketch: DistinctSketch, thing: number): void {
  const hash = createHash('sha256').update(String(thing)).digest();
  sketch.add(hash.readUInt32LE(0), hash.readUInt32LE(4));
}

function sketchOf(things: Iterable<number>): DistinctSketch {
  const sketch = new DistinctSketch();
  for (const thing of things) add(sketch, thing);
  return sketch;
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
const things = fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 300 });

describe('a sketch of distinct things', () => {
  it.each([0, 1, 10, 1_000, 4_096, 20_000, 100_000])('estimates %i within four standard errors', (count) => {
    const estimate = sketchOf(upTo(count)).estimate();
    expect(Math.abs(estimate - count)).toBeLessThanOrEqual(4 * distinctStandardError * count);
  });

  it('is the same from any parts, in any order, however often they are merged', () => {
    fc.assert(
      fc.property(fc.array(things, { maxLength: 5 }), (parts) => {
        const merged = new DistinctSketch();
        for (const part of [...parts.toReversed(), ...parts]) merged.merge(sketchOf(part));
        expect(merged.toBytes()).toEqual(sketchOf(parts.flat()).toBytes());
        expect(DistinctSketch.fromBytes(merged.toBytes()).toBytes()).toEqual(merged.toBytes());
      }),
    );
  });

  it('refuses bytes that are no sketch', () => {
    for (const bytes of [[], [2], [1, 0], [1, 34], [1, 255, 255, 255, 255, 15]]) {
      expect(() => DistinctSketch.fromBytes(Uint8Array.from(bytes))).toThrow(RangeError);
    }
  });
});
