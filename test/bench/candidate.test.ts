import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { divide } from '../../bench/backup/candidate.ts';

describe('the work of several lanes', () => {
  it('is all of the work, each part of it once, in shares that differ by one at most', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer({ min: 1, max: 5 }), (items, lanes) => {
        const shares = divide(items, lanes);
        expect(shares).toHaveLength(lanes);
        expect(shares.flat().sort()).toEqual([...items].sort());
        const sizes = shares.map((share) => share.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
