import { describe, expect, it } from '@jest/globals';
import { checkRule, ruleHolds } from '../../../local/step-functions/choice.ts';
import type { Json, JsonObject } from '../../../local/step-functions/json.ts';

const input: Json = {
  text: 'beta',
  other: 'alpha',
  file: 'log-2026*.txt',
  number: 7,
  yes: true,
  nothing: null,
  time: '2026-11-20T10:00:00Z',
  later: '2026-11-20T12:00:00+01:00',
};
const holds = (rule: JsonObject) => ruleHolds(rule, { input, context: { Execution: { Name: 'e' } } });

describe('rules of a Choice state', () => {
  it.each<[JsonObject, boolean]>([
    [{ Variable: '$.text', StringEquals: 'beta' }, true],
    [{ Variable: '$.text', StringEqualsPath: '$.other' }, false],
    [{ Variable: '$.text', StringGreaterThanPath: '$.other' }, true],
    [{ Variable: '$.text', StringLessThan: 'beta' }, false],
    [{ Variable: '$.text', StringLessThanEquals: 'beta' }, true],
    [{ Variable: '$.number', StringEquals: '7' }, false],
    [{ Variable: '$.file', StringMatches: 'log-*.txt' }, true],
    [{ Variable: '$.file', StringMatches: 'log-2026\\*.txt' }, true],
    [{ Variable: '$.text', StringMatches: 'b\\*' }, false],
    [{ Variable: '$.text', StringMatches: 'b.ta' }, false],
    [{ Variable: '$.number', NumericGreaterThanEquals: 7 }, true],
    [{ Variable: '$.number', NumericLessThan: 7 }, false],
    [{ Variable: '$.text', NumericLessThan: 7 }, false],
    [{ Variable: '$.yes', BooleanEquals: true }, true],
    [{ Variable: '$.yes', BooleanEqualsPath: '$.yes' }, true],
    [{ Variable: '$.time', TimestampLessThanPath: '$.later' }, true],
    [{ Variable: '$.time', TimestampEquals: '2026-11-20T11:00:00+01:00' }, true],
    [{ Variable: '$.text', TimestampLessThan: '2026-11-20T11:00:00Z' }, false],
    [{ Variable: '$.nothing', IsNull: true }, true],
    [{ Variable: '$.text', IsNull: false }, true],
    [{ Variable: '$.nothing', IsPresent: true }, true],
    [{ Variable: '$.missing', IsPresent: true }, false],
    [{ Variable: '$.missing', IsPresent: false }, true],
    [{ Variable: '$.number', IsNumeric: true }, true],
    [{ Variable: '$.number', IsString: true }, false],
    [{ Variable: '$.yes', IsBoolean: true }, true],
    [{ Variable: '$.time', IsTimestamp: true }, true],
    [{ Variable: '$.text', IsTimestamp: true }, false],
    [{ Variable: '$$.Execution.Name', StringEquals: 'e' }, true],
  ])('%j is %s', (rule, expected) => {
    checkRule({ ...rule, Next: 'X' }, true);
    expect(holds(rule)).toBe(expected);
  });

  it('combine with And, Or and Not, and stop at the first that decides', () => {
    const yes = { Variable: '$.yes', BooleanEquals: true };
    const no = { Variable: '$.yes', BooleanEquals: false };
    const broken = { Variable: '$.missing', BooleanEquals: true };
    expect(holds({ And: [yes, { Not: no }] })).toBe(true);
    expect(holds({ And: [no, broken] })).toBe(false);
    expect(holds({ Or: [yes, broken] })).toBe(true);
    expect(holds({ Or: [no, { And: [yes, no] }] })).toBe(false);
  });

  it('fail as States.Runtime when a variable is missing', () => {
    expect(() => holds({ Variable: '$.missing', StringEquals: 'x' })).toThrow(
      expect.objectContaining({ error: 'States.Runtime' }),
    );
  });

  it.each<[JsonObject, string]>([
    [{ Variable: '$.a', StringStarts: 'x', Next: 'X' }, 'StringStarts is not supported'],
    [{ Variable: '$.a', IsNullPath: '$.b', Next: 'X' }, 'IsNullPath is not supported'],
    [{ Variable: '$.a', StringEquals: 'x' }, 'has no Next'],
    [{ Variable: '$.a', Next: 'X' }, 'needs one comparison'],
    [{ Variable: '$.a', StringEquals: 'x', IsNull: true, Next: 'X' }, 'needs one comparison'],
    [{ StringEquals: 'x', Next: 'X' }, 'has no Variable'],
    [{ And: [], Next: 'X' }, 'take a list of rules'],
    [{ Not: { Variable: '$.a', IsNull: true, Next: 'Y' }, Next: 'X' }, 'only the outermost'],
  ])('%j is refused', (rule, reason) => {
    expect(() => checkRule(rule, true)).toThrow(reason);
  });
});
