import { describe, expect, it } from '@jest/globals';
import { checkMath, evaluateMath, type Series } from '../../../local/cloudwatch/metric-math.ts';

const all: Record<string, Series> = {
  errors: [1, undefined, 3, 0],
  requests: [10, 20, 0, undefined],
  latency: [5, 5, 5, 5],
};
const evaluate = (source: string) => {
  checkMath(source);
  return evaluateMath(source, {
    length: 4,
    periodSeconds: 60,
    series(id) {
      const series = all[id];
      if (series === undefined) throw new Error(`There is no ${id}`);
      return series;
    },
    metrics: () => Object.values(all),
  });
};

describe('metric math', () => {
  it.each<[string, unknown]>([
    ['errors + latency', [6, undefined, 8, 5]],
    ['100 * errors / requests', [10, undefined, undefined, undefined]],
    ['-errors - -2', [1, undefined, -1, 2]],
    ['2 + 3 * 2 ^ 2', 14],
    ['(2 + 3) * latency', [25, 25, 25, 25]],
    ['FILL(errors, 0)', [1, 0, 3, 0]],
    ['FILL(errors, REPEAT)', [1, 1, 3, 0]],
    ['fill(requests, latency)', [10, 20, 0, 5]],
    ['SUM(errors)', 4],
    ['AVG(latency)', 5],
    ['MAX([errors, latency])', [5, 5, 5, 5]],
    ['SUM([errors, requests])', [11, 20, 3, 0]],
    ['SUM(METRICS())', [16, 25, 8, 5]],
    ['IF(requests > 0, errors, latency)', [1, undefined, 5, undefined]],
    ['IF(FILL(requests, 0) == 0, 0, 100 * FILL(errors, 0) / requests)', [10, 0, 0, 0]],
    ['errors > 0 AND requests > 0', [1, undefined, 0, undefined]],
    ['errors >= 1 || requests >= 20', [1, undefined, 1, undefined]],
    ['ABS(errors - latency)', [4, undefined, 2, 5]],
    ['DIFF(FILL(errors, 0))', [undefined, -1, 3, -3]],
    ['RATE(requests)', [undefined, 10 / 60, -20 / 60, undefined]],
    ['errors / PERIOD(errors) * 60', [1, undefined, 3, 0]],
  ])('%s', (source, expected) => {
    expect(evaluate(source)).toEqual(expected);
  });

  it.each([
    ['ANOMALY_DETECTION_BAND(errors)', 'ANOMALY_DETECTION_BAND'],
    ["SEARCH('x', 'Sum', 300)", 'not valid at'],
    ['METRICS("e")', 'not valid'],
    ['FILL(errors, LINEAR)', 'LINEAR'],
    ['errors +', 'at its end'],
    ['(errors', 'at its end'],
    ['errors errors', 'not valid at errors'],
    ['[errors', 'at its end'],
    ['1 = 1', 'not valid at'],
  ])('%s is refused', (source, reason) => {
    expect(() => checkMath(source)).toThrow(reason);
  });

  it('knows which metrics an expression uses', () => {
    expect(checkMath('IF(m1 > 0, FILL(m2, REPEAT), e1)')).toEqual(['m1', 'm2', 'e1']);
  });
});
