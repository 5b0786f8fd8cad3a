import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compilePattern, InvalidEventPattern } from '../../../local/events/event-pattern.ts';

const matches = (pattern: unknown, event: unknown) => compilePattern(pattern)(event);
const event = {
  source: 'aws.states',
  detail: {
    status: 'FAILED',
    count: 300,
    ratio: -0.5,
    ok: true,
    nothing: null,
    empty: '',
    address: '10.0.3.7',
    file: 'logs/2026/app.log',
    tags: ['red', 'Green'],
    none: [],
    steps: [
      { name: 'a', state: 'done' },
      { name: 'b', state: 'failed' },
    ],
  },
};
const detail = (pattern: unknown) => ({ detail: pattern });

describe('an event pattern', () => {
  it.each<[unknown, boolean]>([
    [{ source: ['aws.states'] }, true],
    [{ source: ['aws.s3', 'aws.states'], detail: { status: ['ABORTED', 'FAILED'] } }, true],
    [{ source: ['aws.states'], detail: { status: ['ABORTED'] } }, false],
    [detail({ count: [300] }), true],
    [detail({ count: ['300'] }), false],
    [detail({ ok: [true] }), true],
    [detail({ nothing: [null] }), true],
    [detail({ missing: [null] }), false],
    [detail({ empty: [''] }), true],
    [detail({ status: [{ prefix: 'FA' }] }), true],
    [detail({ status: [{ prefix: { 'equals-ignore-case': 'fa' } }] }), true],
    [detail({ status: [{ suffix: 'ED' }] }), true],
    [detail({ status: [{ suffix: { 'equals-ignore-case': 'Ed' } }] }), true],
    [detail({ status: [{ 'equals-ignore-case': 'failed' }] }), true],
    [detail({ status: [{ 'anything-but': 'FAILED' }] }), false],
    [detail({ status: [{ 'anything-but': ['ABORTED', 'TIMED_OUT'] }] }), true],
    [detail({ status: [{ 'anything-but': { prefix: 'FA' } }] }), false],
    [detail({ status: [{ 'anything-but': { suffix: ['X', 'Y'] } }] }), true],
    [detail({ status: [{ 'anything-but': { 'equals-ignore-case': ['failed'] } }] }), false],
    [detail({ file: [{ 'anything-but': { wildcard: '*/2026/*' } }] }), false],
    [detail({ missing: [{ 'anything-but': 'x' }] }), false],
    [detail({ file: [{ wildcard: 'logs/*/*.log' }] }), true],
    [detail({ count: [{ numeric: ['>', 299.5, '<=', 300] }] }), true],
    [detail({ count: [{ numeric: ['=', 3e2] }] }), true],
    [detail({ ratio: [{ numeric: ['<', 0] }] }), true],
    [detail({ status: [{ numeric: ['>', 0] }] }), false],
    [detail({ address: [{ cidr: '10.0.0.0/22' }] }), true],
    [detail({ address: [{ cidr: '10.0.4.0/22' }] }), false],
    [detail({ address: [{ cidr: '::/0' }] }), false],
    [detail({ status: [{ exists: true }], missing: [{ exists: false }] }), true],
    [detail({ nothing: [{ exists: true }] }), true],
    [detail({ steps: [{ exists: true }] }), false],
    [{ gone: { deep: [{ exists: false }] } }, true],
    [detail({ tags: ['blue', 'red'] }), true],
    [detail({ tags: ['green'] }), false],
    [detail({ tags: [{ 'anything-but': 'red' }] }), true],
    [detail({ none: [{ exists: false }] }), true],
    [detail({ steps: { name: ['b'], state: ['failed'] } }), true],
    [detail({ steps: { name: ['a'], state: ['failed'] } }), false],
    [{ $or: [{ source: ['x'] }, detail({ count: [{ numeric: ['>', 1] }] })] }, true],
    [{ source: ['aws.states'], $or: [{ source: ['x'] }, { source: ['y'] }] }, false],
    [detail({ $or: [{ status: ['FAILED'] }, { status: ['X'] }], ok: [true] }), true],
    [detail({ constructor: [{ exists: true }] }), false],
  ])('%j matches the event: %s', (pattern, expected) => {
    expect(matches(pattern, event)).toBe(expected);
  });

  it.each<[unknown, string]>([
    [[], 'the pattern must be an object'],
    [{}, 'must not be an empty object'],
    [{ source: 'aws.s3' }, 'source must be an object or an array'],
    [{ source: [] }, 'source must not be an empty array'],
    [{ detail: { a: [{ prefixed: 'x' }] } }, 'detail.a has an unrecognized match type prefixed'],
    [{ a: [{ prefix: 'x', suffix: 'y' }] }, 'not exactly one match type'],
    [{ a: [{ prefix: 1 }] }, 'not exactly one match type'],
    [{ a: [{ wildcard: 'a**b' }] }, 'two wildcards in a row'],
    [{ a: [{ numeric: ['>'] }] }, 'a has a numeric that is not like'],
    [{ a: [{ numeric: ['<', 5, '>', 0] }] }, 'does not go from > to <'],
    [{ a: [{ numeric: ['>', '5'] }] }, 'unknown comparison'],
    [{ a: [{ exists: 'yes' }] }, 'not true or false'],
    [{ a: [{ cidr: '10.0.0.0/33' }] }, 'malformed CIDR'],
    [{ a: [{ 'anything-but': [] }] }, 'anything-but list of no values'],
    [{ a: [['nested']] }, 'not exactly one match type'],
    [{ $or: {} }, '$or must be a list of patterns'],
  ])('%j is refused', (pattern, reason) => {
    expect(() => compilePattern(pattern)).toThrow(InvalidEventPattern);
    expect(() => compilePattern(pattern)).toThrow(reason);
  });

  it('decides as a naive search over every choice of array elements does', () => {
    let matched = 0;
    fc.assert(
      fc.property(patterns, events, (pattern, subject) => {
        const expected = projections(subject).some((projection) => naive(pattern, projection));
        matched += expected ? 1 : 0;
        expect(matches(pattern, subject)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
    expect(matched).toBeGreaterThan(100);
  });
});

const key = fc.constantFrom('a', 'b');
const scalar = fc.constantFrom<unknown>('x', 'xy', 'X', 1, 2, true, null);
const events = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(key, tie('value'), { maxKeys: 2 }),
})).object;
const rule = fc.oneof(
  scalar,
  fc.constantFrom<unknown>(
    { prefix: 'x' },
    { suffix: 'y' },
    { 'equals-ignore-case': 'x' },
    { wildcard: '*y' },
    { exists: true },
    { exists: false },
    { 'anything-but': ['x', 1] },
    { numeric: ['>', 1] },
  ),
);
const patterns = fc.letrec<{ object: unknown; leaf: unknown }>((tie) => ({
  leaf: fc.oneof({ depthSize: 'small' }, fc.array(rule, { minLength: 1, maxLength: 2 }), tie('object')),
  object: fc.oneof(
    { weight: 4, arbitrary: fc.dictionary(key, tie('leaf'), { minKeys: 1, maxKeys: 2 }) },
    {
      weight: 1,
      arbitrary: fc.record({
        $or: fc.array(fc.dictionary(key, tie('leaf'), { minKeys: 1 }), { minLength: 1, maxLength: 2 }),
      }),
    },
  ),
})).object;

/** All events that come of choosing one element of each array; an empty array leaves its field out. */
function projections(value: unknown): unknown[] {
  if (Array.isArray(value)) {
    const elements: unknown[] = value.flat(9);
    return elements.length === 0 ? [undefined] : elements.flatMap(projections);
  }
  if (!isObject(value)) return [value];
  return Object.entries(value).reduce<unknown[]>(
    (partial, [name, inner]) =>
      partial.flatMap((object) =>
        projections(inner).map((choice) => ({ ...Object(object), [name]: choice })),
      ),
    [{}],
  );
}

function naive(pattern: unknown, projection: unknown): boolean {
  return Object.entries(Object(pattern)).every(([name, inner]) => {
    if (name === '$or') return Array.isArray(inner) && inner.some((each) => naive(each, projection));
    const value = isObject(projection) ? projection[name] : undefined;
    return Array.isArray(inner)
      ? inner.some((each) => naiveRule(each, isObject(value) ? undefined : value))
      : naive(inner, value);
  });
}

function naiveRule(wanted: unknown, value: unknown): boolean {
  switch (JSON.stringify(wanted)) {
    case '{"prefix":"x"}':
      return value === 'x' || value === 'xy';
    case '{"suffix":"y"}':
    case '{"wildcard":"*y"}':
      return value === 'xy';
    case '{"equals-ignore-case":"x"}':
      return value === 'x' || value === 'X';
    case '{"exists":true}':
      return value !== undefined;
    case '{"exists":false}':
      return value === undefined;
    case '{"anything-but":["x",1]}':
      return value !== undefined && value !== 'x' && value !== 1;
    case '{"numeric":[">",1]}':
      return value === 2;
    default:
      return value === wanted;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
