import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { newRecord } from '../../../../functions/failover/record.ts';
import { AnalysisStore, mostRunMs } from '../../../../functions/shards/balance/analysis/analysis-store.ts';
import { candidatesOf } from '../../../../functions/shards/balance/analysis/analyze-shards.ts';
import {
  pinnedSlot,
  type ShardAnalysis,
  type SlotFound,
} from '../../../../functions/shards/balance/analysis/model.ts';
import { packSlots, unpackSlots } from '../../../../functions/shards/balance/analysis/slot-columns.ts';
import { combine } from '../../../../functions/shards/balance/combine.ts';
import { type BalanceDependencies, balanceHandlers } from '../../../../functions/shards/balance/handlers.ts';
import { blocksOf } from '../../../../functions/shards/balance/health.ts';
import { recommend } from '../../../../functions/shards/balance/recommend.ts';
import { balanceRoutes } from '../../../../functions/shards/balance/routes.ts';
import {
  analysisViewSchema,
  balanceHealthSchema,
  recommendationSchema,
} from '../../../../functions/shards/balance/views.ts';
import { evenly, type ShardMap } from '../../../../functions/shards/map/shard-map.ts';
import { arrivalAt } from '../../access/arrival.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { balance } from './settings.ts';

const now = Date.parse('2026-06-01T12:00:00.000Z');
const at = new Date(now - 60_000).toISOString();
const names = ['a', 'b'];
const map: ShardMap = { epoch: 3, slots: 64, ranges: evenly(64, names), changedAt: at, reason: 'test' };

/** What a handler gets of an operator's request. */
const arrived = <Query>(query: Query) => ({
  ...arrivalAt(balanceRoutes.analyze),
  ...{ params: {}, query, body: undefined, workId: '01M7Z95GC5HF7XGT4X8S1N99H0' },
  caller: { keyId: 'key', name: 'test', scopes: ['shards:read' as const], tier: 'enterprise' as const },
});

const slot = (number: number, rows: number): SlotFound => ({
  ...{ slot: number, rows: [rows], bytes: rows * 100, loadPerSecond: rows / 10 },
});
const analysis = (shard: string, slots: SlotFound[]): ShardAnalysis => ({
  shard,
  found: {
    ...{ run: 'r1', at, durationMs: 5, instance: `${shard}-2`, role: 'reader', databaseBytes: 1_000_000 },
    kinds: ['user'],
    tables: [{ table: 'public.users', kind: 'user', rows: 0, bytes: 0, loadPerSecond: 0 }],
    ...{ tenants: [], activities: [], missing: [], parts: 1 },
  },
  slots,
});
/** Slots of a are heavier, each in its own way. */
const heavy = analysis(
  'a',
  Array.from({ length: 32 }, (_, index) => slot(index, 200 + index)),
);
const light = analysis(
  'b',
  Array.from({ length: 32 }, (_, index) => slot(32 + index, 50 + index)),
);

describe('numbers of slots', () => {
  it('come back as they were packed, in pieces that fit an item', () => {
    const number = fc.double({ min: 0, max: 1e15, noNaN: true });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.tuple(fc.integer({ min: -1, max: 65_535 }), number)),
        (kinds, some) => {
          const slots = some.map(([which, value]) => ({
            ...{ slot: which, bytes: value * 2, loadPerSecond: value / 3 },
            rows: Array.from({ length: kinds }, (_, kind) => value + kind),
          }));
          expect(packSlots(slots, kinds).flatMap((part) => unpackSlots(part, kinds))).toEqual(slots);
        },
      ),
    );
    const many = packSlots(
      Array.from({ length: 65_536 }, (_, index) => slot(index, 1)),
      2,
    );
    expect(Math.max(...many.map(({ byteLength }) => byteLength))).toBeLessThan(400_000);
  });
});

describe('analyses together', () => {
  it('are weighed measure by measure, each as a part of its whole', () => {
    const { shards, variance } = combine(
      names,
      [analysis('a', [slot(0, 300)]), analysis('b', [slot(40, 100)])],
      map,
      balance,
    );
    expect(shards.map(({ share }) => share)).toEqual([0.75, 0.25]);
    expect(variance).toBeCloseTo(0.5, 9);
    const weighed = { ...balance, shards: { a: { weight: 3 } } };
    expect(
      combine(names, [analysis('a', [slot(0, 300)]), analysis('b', [slot(40, 100)])], map, weighed).variance,
    ).toBeCloseTo(0, 9);
  });

  it('tell what no slot’s move takes away: pinned tenants, and rows whose slot is another shard’s', () => {
    const { shards, slots } = combine(
      names,
      [analysis('a', [slot(pinnedSlot, 50), slot(0, 10), slot(40, 20)]), analysis('b', [slot(40, 20)])],
      map,
      balance,
    );
    expect(shards[0]).toMatchObject({ share: 0.8, misplaced: { slots: 1, rows: 20 } });
    expect(shards[0]?.fixedShare).toBeCloseTo(0.7, 9);
    expect(slots).toMatchObject([
      { slot: 40, shard: 'b', alsoOn: ['a'] },
      { slot: 0, shard: 'a', alsoOn: [] },
    ]);
  });

  it('compare databases where no tables are named, and leave a shard out that nobody knows', () => {
    const bare = (shard: string, bytes: number): ShardAnalysis => {
      const { found } = analysis(shard, []);
      return {
        shard,
        ...(found !== undefined && { found: { ...found, kinds: [], tables: [], databaseBytes: bytes } }),
        slots: [],
      };
    };
    const both = combine(names, [bare('a', 300), bare('b', 100)], map, balance);
    expect(both.variance).toBeCloseTo(0.5, 9);
    const one = combine(
      names,
      [bare('a', 300), { shard: 'b', error: { at, message: 'down' }, slots: [] }],
      map,
      balance,
    );
    expect(one.shards[1]).toMatchObject({ share: undefined, utilization: undefined });
    expect(one.variance).toBeCloseTo(0, 9);
  });
});

describe('a recommendation', () => {
  const request = {
    threshold: 0.2,
    minImprovement: 0.02,
    maxMoves: 250,
    add: undefined,
    drain: [],
    leave: [],
    inMotion: [],
  };
  const combined = combine(names, [heavy, light], map, balance);
  const facts = { combined, map, balance, blocks: new Map() };

  it('names each move with what it takes, what it gains and what is left', () => {
    const made = recommendationSchema.parse(recommend(request, facts));
    expect(made).toMatchObject({ recommended: true, outcome: 'reached' });
    expect(made.after.variance).toBeLessThanOrEqual(0.2);
    expect(made.movedShare).toBeLessThanOrEqual(made.leastMovedShare * 1.05);
    expect(made.moves[0]).toMatchObject({ order: 1, from: 'a', to: 'b', sizeBytes: expect.any(Number) });
    expect(made.moves.reduce((sum, { improvement }) => sum + improvement, 0)).toBeCloseTo(
      made.before.variance - made.after.variance,
      9,
    );
    expect(made.total.sizeBytes).toBe(made.moves.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  });

  it('leaves alone what is blocked, and says why', () => {
    const blocks = new Map([['b', [{ code: 'lag' as const, leave: true, come: true, detail: 'It lags.' }]]]);
    const made = recommend(request, { ...facts, blocks });
    expect(made).toMatchObject({ recommended: false, outcome: 'not-worth-it' });
    expect(made.explanation).toContain('Nothing is moved from or to b: It lags.');
    expect(recommend({ ...request, leave: ['a'] }, facts).moves).toEqual([]);
  });

  it('does not move slots in motion', () => {
    const first = recommend(request, facts).moves.flatMap(({ slots }) =>
      slots.map(({ first: which }) => which),
    );
    const other = recommend({ ...request, inMotion: first }, facts).moves.flatMap(({ slots }) =>
      slots.map(({ first: which }) => which),
    );
    expect(other.filter((which) => first.includes(which))).toEqual([]);
  });

  it('empties a drained shard of slots without rows too', () => {
    const few = combine(names, [heavy, analysis('b', [slot(50, 10)])], map, balance);
    const made = recommend({ ...request, drain: ['b'] }, { ...facts, combined: few });
    const moved = made.moves
      .flatMap(({ slots, from }) => (from === 'b' ? slots : []))
      .reduce((sum, { first, last }) => sum + last - first + 1, 0);
    expect(moved).toBe(32);
    expect(made.shards[1]).toMatchObject({ shard: 'b', shareAfter: 0 });
  });
});

describe('what must not be moved now', () => {
  const [state] = combine(names, [heavy, light], map, {
    ...balance,
    shards: { a: { weight: 1, capacityBytes: 1_000_001 } },
  }).shards;
  const free = combine(names, [heavy, light], map, balance).shards[0];
  if (state === undefined || free === undefined) throw new Error('no shards');
  const facts = { state: free, failover: undefined, probe: undefined, health: undefined, work: [] };
  const codes = (more: Partial<Parameters<typeof blocksOf>[0]>, time = now) =>
    blocksOf({ ...facts, ...more }, balance, time).map(({ code }) => code);
  const record = newRecord('a', at);

  it('is nothing on a shard that is well', () => {
    expect(codes({})).toEqual([]);
    expect(codes({ failover: record, work: [{ id: '1', kind: 'backup', shards: ['b'] }] })).toEqual([]);
  });

  it.each([
    ['failing-over', { failover: { ...record, state: 'failing_over' as const } }],
    ['writer-down', { failover: { ...record, state: 'held' as const } }],
    [
      'recent-failover',
      {
        failover: {
          ...record,
          state: 'failed_over' as const,
          cooldownUntil: new Date(now + 1).toISOString(),
        },
      },
    ],
    ['paused', { failover: { ...record, paused: { since: at, by: 'key', reason: 'works' } } }],
    ['backup-running', { work: [{ id: '1', kind: 'backup' as const, shards: ['a'] }] }],
    ['restore-running', { work: [{ id: '1', kind: 'restore' as const, shards: ['a'] }] }],
    ['disk', { state }],
    ['not-analyzed', { state: { ...free, analysis: undefined } }],
  ])('%s', (code, more) => {
    expect(codes(more)).toEqual([code]);
  });

  it('is a shard whose analysis is old, or failed since', () => {
    expect(codes({}, now + 8 * 86_400_000)).toEqual(['analysis-old']);
    const failed = { ...heavy, error: { at: new Date(now).toISOString(), message: 'no answer' } };
    expect(codes({ state: { ...free, analysis: failed } })).toEqual(['not-analyzed']);
  });

  it('is a shard whose reader lags or is gone', () => {
    const reader = { instance: 'a-2', reachable: true, streaming: true };
    const probe = (more: object) => ({
      ...{
        shard: 'a',
        at,
        ok: true,
        consecutiveFailures: 0,
        otherWriters: [],
        fenced: [],
        cutOff: false,
        changes: [],
      },
      readers: [{ ...reader, ...more }],
    });
    expect(codes({ probe: probe({ lagSeconds: 1 }) })).toEqual([]);
    expect(codes({ probe: probe({ lagSeconds: 61 }) })).toEqual(['lag']);
    expect(codes({ probe: probe({ reachable: false }) })).toEqual(['lag']);
  });
});

describe('where rows are counted', () => {
  it('is the reader that lags least, then the writer, and never one that lags too much', () => {
    const instance = (id: string) => ({
      id,
      role: 'reader' as const,
      status: 'available',
      host: id,
      port: 1,
    });
    const reader = (name: string, lagSeconds: number) => ({
      instance: name,
      reachable: true,
      streaming: true,
      lagSeconds,
    });
    const found = candidatesOf(
      { name: 'a', writer: { host: 'w', port: 1 } },
      { instances: [instance('late'), instance('near'), instance('far'), instance('unknown')] },
      { readers: [reader('late', 600), reader('near', 0.1), reader('far', 5)] },
      60,
    );
    expect(found.filter(({ fresh }) => fresh).map(({ host }) => host)).toEqual(['near', 'far', 'w']);
  });
});

describe('the routes of balance', () => {
  let dynamo: TestDynamo;
  let store: AnalysisStore;
  let started = 0;
  let time = now;
  const deps = (): BalanceDependencies => ({
    ...{ balance, store, now: () => time },
    map: async () => map,
    shards: async () => names.map((name) => ({ ...shard, name })),
    failover: { records: async () => [] },
    probes: { probes: async () => [] },
    health: async () => [],
    work: async () => [],
    start: async () => {
      started += 1;
    },
  });
  const shard = {
    clusterIdentifier: 'c',
    resourceId: 'cluster-C',
    database: 'd',
    writer: { host: 'h', port: 1 },
    epoch: 1,
    state: 'active' as const,
  };
  const analyze = (query: Record<string, unknown> = {}) =>
    balanceHandlers(deps()).analyze(arrived(balanceRoutes.analyze.query.parse(query)));

  beforeAll(async () => {
    dynamo = await startDynamo('shards');
    store = new AnalysisStore(dynamo.client, 'shards');
  });
  afterAll(() => dynamo.stop());

  it('start an analysis where there is none, one at a time', async () => {
    expect(await analyze()).toMatchObject({
      status: 202,
      body: { state: 'queued' },
      headers: { 'retry-after': '15' },
    });
    expect(started).toBe(1);
    expect(await store.begin('r1', time)).toBe(true);
    expect(await store.begin('r2', time)).toBe(false);
    expect(await analyze({ fresh: 'true' })).toMatchObject({
      status: 202,
      body: { id: 'r1', state: 'running' },
    });
    expect(started).toBe(1);
    for (const { shard: name, found, slots } of [heavy, light]) {
      if (found !== undefined) await store.keep(name, found, slots);
    }
    await store.end('r1', 'completed', time);
  });

  it('show the newest, its slots by page and the heaviest first, also where a shard failed since', async () => {
    await store.fail('b', 'no answer', time);
    const pages: number[] = [];
    let nextToken: string | undefined;
    do {
      const answer = await analyze({ limit: '30', ...(nextToken !== undefined && { nextToken }) });
      const body = analysisViewSchema.parse(answer.body);
      expect(body).toMatchObject({ overThreshold: true, run: { id: 'r1', state: 'completed' }, mapEpoch: 3 });
      expect(body.shards[1]).toMatchObject({ error: { message: 'no answer' }, analyzedOn: 'b-2' });
      pages.push(...body.slots.map(({ slot: which }) => which));
      nextToken = body.nextToken ?? undefined;
    } while (nextToken !== undefined);
    expect(pages).toHaveLength(64);
    expect(new Set(pages).size).toBe(64);
    expect(pages[0]).toBe(31);
    const one = analysisViewSchema.parse((await analyze({ shard: 'b', limit: '100' })).body);
    expect(one.slots.every((each) => each.shard === 'b')).toBe(true);
  });

  it('start a fresh one when the last has rested, and count one that died as none', async () => {
    expect((await analyze({ fresh: 'true' })).status).toBe(200);
    time += 61_000;
    expect((await analyze({ fresh: 'true' })).status).toBe(202);
    expect(started).toBe(2);
    expect(await store.begin('r3', time)).toBe(true);
    time += mostRunMs + 1;
    expect((await analyze({ fresh: 'true' })).status).toBe(202);
    expect(started).toBe(3);
    expect(await store.begin('r4', time)).toBe(true);
    await store.end('r3', 'failed', time);
    expect(await store.run()).toMatchObject({ run: 'r4', state: 'running' });
    time = now;
  });

  it('recommend what brings the shards under the threshold, and refuse shards that do not exist', async () => {
    await dynamo.client.send(
      new (await import('@aws-sdk/lib-dynamodb')).UpdateCommand({
        TableName: 'shards',
        Key: { pk: 'ANALYSIS', sk: 'b' },
        UpdateExpression: 'REMOVE #error',
        ExpressionAttributeNames: { '#error': 'error' },
      }),
    );
    const handlers = balanceHandlers(deps());
    const ask = (query: Record<string, unknown>) =>
      handlers.recommend(arrived(balanceRoutes.recommend.query.parse(query)));
    const { body } = await ask({});
    expect(recommendationSchema.parse(body)).toMatchObject({ outcome: 'reached', threshold: 0.2 });
    expect((await ask({ threshold: '1.5' })).body).toMatchObject({ outcome: 'even', moves: [] });
    expect((await ask({ drain: 'b' })).body).toMatchObject({ outcome: 'reached' });
    await expect(ask({ drain: 'c' })).rejects.toMatchObject({
      status: 422,
      errors: [{ field: 'query.drain' }],
    });
    await expect(ask({ drain: 'a,b' })).rejects.toMatchObject({ status: 422 });
    await expect(ask({ add: 'a', drain: 'a' })).rejects.toMatchObject({ errors: [{ field: 'query.add' }] });
    const health = await handlers.balanceHealth(arrived({}));
    expect(balanceHealthSchema.parse(health.body).shards.map(({ mayLeave }) => mayLeave)).toEqual([
      true,
      true,
    ]);
  });
});
