import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { countEdgeUsage } from '../../../functions/metrics/tally/edge-usage.ts';
import { decodeTally, encodeTally } from '../../../functions/metrics/tally/encode.ts';
import { errorPattern, patternLength } from '../../../functions/metrics/tally/error-pattern.ts';
import type { Seen } from '../../../functions/metrics/tally/seen.ts';
import { mostKept, Tally } from '../../../functions/metrics/tally/tally.ts';
import type { Batch } from '../../../functions/metrics/tally/tally-store.ts';

const seenArbitrary: fc.Arbitrary<Seen> = fc
  .record({
    at: fc.integer({ min: 0, max: 7_200_000 }),
    fn: fc.constantFrom('api', 'plan', 'expire'),
    durationMs: fc.double({ min: 0, max: 60_000, noNaN: true }),
    coldStart: fc.boolean(),
    memoryBytes: fc.nat({ max: 1e9 }),
    trace: fc.nat(),
    tenant: fc.option(fc.constantFrom('acme', 'globex'), { nil: undefined }),
    status: fc.option(fc.constantFrom(200, 202, 404, 500, 503), { nil: undefined }),
    failed: fc.option(fc.constantFrom('no table 7', 'no table 8', 'denied'), { nil: undefined }),
  })
  .map(({ status, failed, trace, fn, tenant, ...rest }) => ({
    ...rest,
    ...{ fn, service: `${fn}-service`, memoryLimitBytes: 1e9, traceId: trace.toString(16).padStart(32, '0') },
    ...(tenant !== undefined && { tenant }),
    ...(status !== undefined && { request: { route: `GET /${fn}`, status } }),
    ...(failed !== undefined && { error: { type: 'Error', message: failed } }),
  }));

const tallyOf = (all: readonly Seen[]): Tally => {
  const tally = new Tally();
  for (const seen of all) tally.add(seen);
  return tally;
};

/** What a tally says, apart from the order in which it heard it, and from how floating point sums are rounded. */
const said = (tally: Tally) => ({
  routes: [...tally.routes]
    .map(([name, { latency, sumMs, codes, exemplar }]) => ({
      ...{ name, codes, exemplar: exemplar?.durationMs, sum: sumMs.toPrecision(9) },
      latency: Buffer.from(latency.toBytes()).toString('hex'),
    }))
    .sort((a, b) => a.name.localeCompare(b.name)),
  functions: [...tally.functions]
    .map(([name, { duration, sumMs, ...rest }]) => ({
      ...{ name, ...rest, sum: sumMs.toPrecision(9) },
      duration: Buffer.from(duration.toBytes()).toString('hex'),
    }))
    .sort((a, b) => a.name.localeCompare(b.name)),
  tenants: [...tally.tenants]
    .map(([name, { sumMs, ...rest }]) => ({ name, ...rest, sum: sumMs.toPrecision(9) }))
    .sort((a, b) => a.name.localeCompare(b.name)),
  errors: [...tally.errors.values()]
    .map(({ traceId: _, ...rest }) => rest)
    .sort((a, b) => a.where.localeCompare(b.where) || a.pattern.localeCompare(b.pattern)),
});

describe('a tally', () => {
  it('comes to the same in whatever order and grouping invocations were seen, stored in between or not', () => {
    fc.assert(
      fc.property(fc.array(fc.array(seenArbitrary, { maxLength: 12 }), { maxLength: 6 }), (groups) => {
        const merged = new Tally();
        for (const group of [...groups].reverse()) merged.merge(decodeTally(encodeTally(tallyOf(group))));
        expect(said(merged)).toEqual(said(tallyOf(groups.flat())));
      }),
    );
  });

  it('counts requests by route and class of status, and keeps the trace of the slowest', () => {
    const base = { at: 1, service: 'cdn', fn: 'api', coldStart: false } as const;
    const tally = tallyOf([
      { ...base, durationMs: 10, traceId: 'a', request: { route: 'GET /x', status: 200 } },
      { ...base, durationMs: 90, traceId: 'b', request: { route: 'GET /x', status: 503 } },
      { ...base, durationMs: 20, traceId: 'c', request: { route: 'GET /x', status: 204 } },
    ]);
    expect(tally.routes.get('GET /x')).toMatchObject({
      codes: { '2xx': 2, '5xx': 1 },
      sumMs: 120,
      exemplar: { traceId: 'b', durationMs: 90 },
    });
  });

  it('takes what tenants use of the edge from its logs, each log once, and none that comes too late', async () => {
    const batches = new Map<string, Tally>();
    const store = {
      addBatch: async (hour: string, { id, tally }: Batch) => void batches.set(`${hour} ${id}`, tally),
    };
    const arrivedMs = Date.parse('2026-11-22T10:30:00Z');
    const used = new Map([['acme', { requests: 3, bytes: 500 }]]);
    await countEdgeUsage(store, { id: 'log', arrivedMs, used }, arrivedMs + 1_000);
    await countEdgeUsage(store, { id: 'log', arrivedMs, used }, arrivedMs + 5 * 3_600_000);
    await countEdgeUsage(store, { id: 'late', arrivedMs, used }, arrivedMs + 8 * 3_600_000);
    expect([...batches.keys()]).toEqual(['2026-11-22T10 edge-log']);
    const [tally = new Tally()] = batches.values();
    expect(decodeTally(encodeTally(tally)).tenants.get('acme')).toMatchObject({
      ...{ edgeRequests: 3, edgeBytes: 500 },
    });
  });

  it('has a bound: what is beyond counts together, and no count is lost', () => {
    const many = mostKept.errors + 50;
    const tally = new Tally();
    for (let index = 0; index < many; index++) {
      const error = {
        type: `Type${String.fromCodePoint(97 + (index % 26)).repeat(1 + index / 26)}`,
        message: 'x',
      };
      tally.add({ at: index, service: 's', fn: `f${index}`, durationMs: 1, coldStart: false, error });
    }
    expect(tally.errors.size).toBe(mostKept.errors + 1);
    expect([...tally.errors.values()].reduce((sum, { count }) => sum + count, 0)).toBe(many);
  });
});

describe('the kind of an error', () => {
  it.each([
    ['shard-17 did not answer within 3000 ms', 'shard<n> did not answer within <n> ms'],
    ['no object "a secret name" at s3', 'no object <text> at s3'],
    ['execution arn:aws:states:eu-west-1:123456789012:execution:x:y failed', 'execution <arn> failed'],
    ['connect ECONNREFUSED 10.0.3.7:5432', 'connect ECONNREFUSED <address>'],
    ['backup 01JABCDEFGHJKMNPQRSTVWXYZ0 is gone', 'backup <id> is gone'],
    ['id 6f1b1c9e-1c3b-4a53-9d3e-0d4b0f7a2c11', 'id <uuid>'],
    ['GET https://example.com/a?token=1 answered', 'GET <url> answered'],
    ['to jane.doe@example.com at 2026-11-22T01:02:03.004Z', 'to <email> at <time>'],
  ])('%s: %s', (message, pattern) => {
    expect(errorPattern(message)).toBe(pattern);
  });

  it('is the same for messages that differ in numbers alone, is bounded, and takes any text', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (one, two) => {
        expect(errorPattern(`row ${one} of ${two}`)).toBe('row <n> of <n>');
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 5_000 }), (message) => {
        expect(errorPattern(message).length).toBeLessThanOrEqual(patternLength);
      }),
    );
  });
});
