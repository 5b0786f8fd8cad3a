import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { evaluate, fillTemplate, limited, placeResult } from '../../../local/step-functions/data-flow.ts';
import type { Json } from '../../../local/step-functions/json.ts';
import { evaluatePath, parsePath } from '../../../local/step-functions/json-path.ts';

const input: Json = {
  name: 'O\'Brien (1) "quoted" C:\\dir',
  list: [1, 2, 3, 4, 5],
  object: { a: 1 },
  other: { a: 2, b: [3] },
  json: '{"n":[1,null]}',
};
const context: Json = { Execution: { Name: 'run-1' } };
const value = (source: string) => evaluate(source, { input, context });

describe('intrinsic functions', () => {
  it.each<[string, unknown]>([
    ["States.Format('{} of {}', $.list[0], $.list[4])", '1 of 5'],
    ["States.Format('({}) \\{\\} it\\'s, {}', true, null)", "(true) {} it's, null"],
    ["States.Format('{}', $.name)", 'O\'Brien (1) "quoted" C:\\dir'],
    ["States.Format('{}/{}', $$.Execution.Name, States.ArrayLength($.list))", 'run-1/5'],
    ['States.StringToJson($.json)', { n: [1, null] }],
    ['States.JsonToString($.other)', '{"a":2,"b":[3]}'],
    ['States.JsonToString($.name)', JSON.stringify('O\'Brien (1) "quoted" C:\\dir')],
    ["States.Array('a', 1, true, null, $.object)", ['a', 1, true, null, { a: 1 }]],
    ['States.Array()', []],
    ['States.ArrayPartition($.list, 2)', [[1, 2], [3, 4], [5]]],
    ['States.ArrayContains($.list, 3)', true],
    ['States.ArrayContains(States.Array($.other), $.object)', false],
    ['States.ArrayRange(1, 9, 2)', [1, 3, 5, 7, 9]],
    ['States.ArrayRange(3, 1, -1)', [3, 2, 1]],
    ['States.ArrayGetItem($.list, 4)', 5],
    ['States.ArrayUnique(States.Array(1, 1, $.object, $.object))', [1, { a: 1 }]],
    ["States.Base64Encode('Daten ü')", 'RGF0ZW4gw7w='],
    ["States.Base64Decode('RGF0ZW4gw7w=')", 'Daten ü'],
    ["States.Hash('text', 'SHA-256')", createHash('sha256').update('text').digest('hex')],
    ['States.JsonMerge($.object, $.other, false)', { a: 2, b: [3] }],
    ['States.MathAdd(111, -1)', 110],
    ["States.StringSplit('a.b+c,,d', '.+,')", ['a', 'b', 'c', 'd']],
  ])('%s', (source, expected) => {
    expect(value(source)).toEqual(expected);
  });

  it('leave their arguments as they were', () => {
    value('States.JsonMerge($.object, $.other, false)');
    expect(input).toMatchObject({ object: { a: 1 }, other: { a: 2, b: [3] } });
  });

  it('make random numbers in the range and version 4 UUIDs', () => {
    for (let round = 0; round < 50; round += 1) expect([1, 2]).toContain(value('States.MathRandom(1, 3)'));
    expect(value('States.UUID()')).toMatch(
      /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
    );
  });

  it.each([
    "States.Format('{}')",
    "States.Format('{}', 1, 2)",
    "States.Format('{}', $.list)",
    "States.StringToJson('{')",
    'States.ArrayGetItem($.list, 9)',
    'States.ArrayRange(1, 2000, 1)',
    'States.ArrayRange(1, 2, 0)',
    'States.ArrayPartition($.list, 0)',
    "States.Hash('x', 'CRC')",
    'States.JsonMerge($.object, $.other, true)',
    "States.MathAdd('1', 2)",
  ])('%s fails as States.IntrinsicFailure', (source) => {
    expect(() => value(source)).toThrow(expect.objectContaining({ error: 'States.IntrinsicFailure' }));
  });

  it('round-trip any JSON value and any text', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (json, text) => {
        const scope = { input: { json: JSON.parse(JSON.stringify(json)), text }, context: {} };
        expect(evaluate('States.StringToJson(States.JsonToString($.json))', scope)).toEqual(scope.input.json);
        expect(evaluate("States.Format('{}', $.text)", scope)).toBe(text);
        expect(evaluate('States.Base64Decode(States.Base64Encode($.text))', scope)).toBe(
          Buffer.from(text).toString(),
        );
      }),
    );
  });
});

describe('templates', () => {
  it('evaluate members named .$ at every depth and leave all else', () => {
    const template: Json = {
      fixed: '$.name',
      'first.$': '$.list[0]',
      nested: [{ 'run.$': '$$.Execution.Name' }, '$.list'],
    };
    expect(fillTemplate(template, { input, context })).toEqual({
      fixed: '$.name',
      first: 1,
      nested: [{ run: 'run-1' }, '$.list'],
    });
  });

  it('fail as States.Runtime when a path leads nowhere', () => {
    expect(() => fillTemplate({ 'x.$': '$.missing' }, { input, context })).toThrow(
      expect.objectContaining({ error: 'States.Runtime' }),
    );
  });
});

describe('ResultPath', () => {
  it('keeps, replaces or extends the input', () => {
    expect(placeResult(null, { a: 1 }, 2)).toEqual({ a: 1 });
    expect(placeResult(undefined, { a: 1 }, 2)).toBe(2);
    expect(placeResult('$', { a: 1 }, 2)).toBe(2);
    expect(placeResult('$.b.c', { a: 1 }, 2)).toEqual({ a: 1, b: { c: 2 } });
    expect(placeResult('$.a[1]', { a: [1, 1] }, 2)).toEqual({ a: [1, 2] });
  });

  it.each<[string, Json]>([
    ['$.a.b', { a: 1 }],
    ['$.a', [1]],
    ['$.a[2]', { a: [1] }],
    ['$.a', 'text'],
  ])('%s does not fit %j', (path, target) => {
    expect(() => placeResult(path, target, 2)).toThrow(
      expect.objectContaining({ error: 'States.ResultPathMatchFailure' }),
    );
  });

  it('puts a value where the same path finds it, and changes nothing else', () => {
    const names = fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(names, fc.jsonValue(), (path, result) => {
        const quoted = path.map((name) => `['${name.replaceAll(/[\\']/g, '\\$&')}']`);
        const source = `$${quoted.join('')}`;
        const placed = placeResult(source, { '\u0000kept': 1 }, JSON.parse(JSON.stringify(result)));
        expect(evaluatePath(parsePath(source), placed)).toEqual(JSON.parse(JSON.stringify(result)));
        expect(placed).toHaveProperty(['\u0000kept'], 1);
      }),
    );
  });
});

describe('the payload limit', () => {
  it('is 256 KiB of UTF-8', () => {
    const fits = 'ü'.repeat((262_144 - 2) / 2);
    expect(limited(fits, 'The text')).toBe(fits);
    expect(() => limited(`${fits}a`, 'The text')).toThrow(
      expect.objectContaining({ error: 'States.DataLimitExceeded' }),
    );
  });
});
