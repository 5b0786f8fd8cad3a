import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { median, quantile } from '../../bench/measure/statistics.ts';

const samples = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 });
const shares = fc.double({ noNaN: true, min: 0, max: 1 });

describe('quantiles', () => {
  it('are values of the sample, and do not fall as the share rises', () => {
    fc.assert(
      fc.property(samples, shares, shares, (values, one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)];
        expect(values).toContain(quantile(values, one));
        expect(quantile(values, low)).toBeLessThanOrEqual(quantile(values, high));
      }),
    );
  });

  it('reach from the smallest to the largest value, whatever the order', () => {
    expect([quantile([3, 1, 2], 0), median([3, 1, 2]), quantile([3, 1, 2], 1)]).toEqual([1, 2, 3]);
  });

  it('do not exist for no values', () => {
    expect(() => median([])).toThrow('no values');
  });
});
