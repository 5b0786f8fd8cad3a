import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TopK } from '../../../../functions/shared/sketches/top-k.ts';

const key = fc.oneof(fc.constantFrom('/', '/a', '/b'), fc.integer({ min: 0, max: 60 }).map(String));
const keys = fc.array(key, { maxLength: 300 });

function counted(list: readonly string[], capacity: number): TopK {
  const sketch = new TopK(capacity);
  for (const each of list) sketch.add(each, 1, 10, 0);
  return sketch;
}

const exactly = (list: readonly string[]) =>
  list.reduce((counts, each) => counts.set(each, (counts.get(each) ?? 0) + 1), new Map<string, number>());

function expectWithinBound(sketch: TopK, list: readonly string[], capacity: number): void {
  const kept = new Map(sketch.top(sketch.size).map((entry) => [entry.key, entry]));
  for (const [each, count] of exactly(list)) {
    const entry = kept.get(each);
    const found = entry?.count ?? 0;
    expect(found).toBeLessThanOrEqual(count);
    expect(count).toBeLessThanOrEqual(found + sketch.error);
    expect(entry?.bytes ?? 0).toBeLessThanOrEqual(count * 10);
  }
  expect(sketch.error).toBeLessThanOrEqual(list.length / capacity);
}

describe('a sketch of the most frequent keys', () => {
  it('is never more wrong than it says, in whatever parts and order keys were counted', () => {
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 6 }), fc.integer({ min: 1, max: 12 }), (parts, capacity) => {
        const merged = new TopK(capacity);
        for (const part of parts) merged.merge(counted(part, capacity));
        expectWithinBound(merged, parts.flat(), capacity);
        expect(merged.size).toBeLessThanOrEqual(capacity);
      }),
    );
  });

  it('is exact, and the same from any parts in any order, while there is room for every key', () => {
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 6 }), (parts) => {
        const forwards = new TopK(100);
        const backwards = new TopK(100);
        for (const part of parts) forwards.merge(counted(part, 100));
        for (const part of parts.toReversed()) backwards.merge(counted(part, 100));
        expect(forwards.error).toBe(0);
        expect(backwards.top(100)).toEqual(forwards.top(100));
        const counts = forwards.top(100).map((entry): [string, number] => [entry.key, entry.count]);
        expect(new Map(counts)).toEqual(exactly(parts.flat()));
      }),
    );
  });

  it('keeps a key that is more frequent than the error, however many others there are', () => {
    const list = Array.from({ length: 5_000 }, (_, index) => (index % 3 === 0 ? '/popular' : `/${index}`));
    const sketch = counted(list, 20);
    sketch.shrink();
    expect(sketch.top(1)).toMatchObject([{ key: '/popular' }]);
    expectWithinBound(sketch, list, 20);
  });

  it('says when entries that it has handed out no longer count', () => {
    const sketch = new TopK(1);
    const before = sketch.generation;
    for (const each of ['a', 'b', 'c']) sketch.add(each);
    expect(sketch.generation).toBeGreaterThan(before);
  });
});
