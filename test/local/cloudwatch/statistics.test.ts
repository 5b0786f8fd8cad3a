import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Distribution } from '../../../local/cloudwatch/distribution.ts';
import { statistic } from '../../../local/cloudwatch/statistics.ts';

function of(values: readonly number[]): Distribution {
  const distribution = new Distribution();
  for (const value of values) distribution.add(value);
  return distribution;
}

describe('statistics', () => {
  it.each([
    ['SampleCount', 5],
    ['Sum', 16],
    ['Average', 3.2],
    ['Minimum', 1],
    ['Maximum', 7],
    ['p0', 1],
    ['p50', 3],
    ['p99.9', 7],
    ['p100', 7],
  ])('%s of 3, 1, 4, 1, 7 is %d', (name, expected) => {
    expect(statistic(name)(of([3, 1, 4, 1, 7]))).toBeCloseTo(expected);
  });

  it.each(['tm90', 'IQM', 'p101', 'median', 'constructor'])('%s is refused by name', (name) => {
    expect(() => statistic(name)).toThrow(`The statistic ${name} is not supported`);
  });

  it('of many values keep percentiles within 1 %, and all else exact', () => {
    const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), {
      minLength: 1,
      maxLength: 600,
    });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (all, percent) => {
        const distribution = of(all);
        const sorted = [...all].sort((a, b) => a - b);
        const exact = sorted[Math.ceil((percent / 100) * all.length) - 1] ?? 0;
        expect(Math.abs(distribution.percentile(percent / 100) - exact)).toBeLessThanOrEqual(
          Math.abs(exact) * 0.0101 + 1e-300,
        );
        expect(distribution.min).toBe(sorted[0]);
        expect(distribution.max).toBe(sorted.at(-1));
        expect(distribution.count).toBe(all.length);
      }),
    );
  });

  it('come to the same merged as added, and after a round trip through JSON', () => {
    const values = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(values, values, (left, right) => {
        const merged = of(left);
        merged.merge(of(right));
        const added = of([...left, ...right]);
        const restored = Distribution.from(JSON.parse(JSON.stringify(merged)));
        for (const name of ['Sum', 'SampleCount', 'Minimum', 'Maximum']) {
          expect(statistic(name)(merged)).toBe(statistic(name)(added));
          expect(statistic(name)(restored)).toBe(statistic(name)(added));
        }
        const p95 = statistic('p95');
        expect(p95(restored)).toBe(p95(merged));
        expect(Math.abs(p95(merged) - p95(added))).toBeLessThanOrEqual(p95(added) * 0.021);
      }),
    );
  });
});
