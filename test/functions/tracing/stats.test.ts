import { BatchWriteCommand, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TraceSpan } from '../../../functions/tracing/model.ts';
import { Aggregate } from '../../../functions/tracing/stats/aggregate.ts';
import { aggregateOfText, textOfAggregate } from '../../../functions/tracing/stats/codec.ts';
import { statsItems } from '../../../functions/tracing/stats/stats-items.ts';
import { StatsStore } from '../../../functions/tracing/stats/stats-store.ts';
import { totalsOf } from '../../../functions/tracing/stats/totals.ts';
import { hourOf, shards } from '../../../functions/tracing/store/keys.ts';
import { startDynamo, type TestDynamo } from '../shared/dynamodb.ts';
import { type SpanSample, spansOf } from './query/spans.ts';

const base = Date.parse('2026-05-04T10:58:00Z');
const range = { fromMs: base - 3_600_000, toMs: base + 3_600_000 };

/** A request through three services and to a database, in one trace of its own. */
const requestOf = (index: number): TraceSpan[] => {
  const id = (name: string) => `${name}${index.toString(16).padStart(8, '0')}`;
  const failed = index % 5 === 0;
  const samples: SpanSample[] = [
    { id: id('1'), from: 0, to: 100 + index, service: 'web', name: 'GET /', kind: 'server', error: failed },
    { id: id('2'), parent: id('1'), from: 5, to: 90, service: 'web', name: 'call', kind: 'client' },
    {
      id: id('3'),
      parent: id('2'),
      from: 10,
      to: 80,
      service: 'shop',
      name: 'order',
      kind: 'server',
      error: failed,
    },
    {
      ...{ id: id('4'), parent: id('3'), from: 20, to: 30, service: 'shop', name: 'SELECT', kind: 'client' },
      tags: { 'db.system': 'postgresql' },
    },
  ];
  return spansOf(samples, base + index * 2_000, (index + 1).toString(16).padStart(32, '0'));
};
const requests = Array.from({ length: 60 }, (_, index) => requestOf(index)).flat();

/** What is told of totals, without sketches. */
const told = async (store: StatsStore) => {
  const { operations, calls, unresolvedCalls, complete } = await totalsOf({ range }, store);
  const counts = (groups: typeof calls) =>
    groups.entries().map(([names, { count, errors, durations }]) => ({
      ...{ names, count, errors, p95: durations.quantile(0.95) },
    }));
  return { operations: counts(operations), calls: counts(calls), unresolvedCalls, complete };
};

describe('statistics of spans', () => {
  let dynamo: TestDynamo;
  beforeAll(async () => {
    dynamo = await startDynamo('whole', 'parts');
  });
  afterAll(() => dynamo.stop());
  const storeOf = (table: string) => new StatsStore({ client: dynamo.client, table, now: () => base });
  const put = async (table: string, spans: readonly TraceSpan[]) => {
    for (const Item of statsItems(spans, 7))
      await dynamo.client.send(new PutCommand({ TableName: table, Item }));
  };
  const items = async (table: string) =>
    (await dynamo.client.send(new ScanCommand({ TableName: table }))).Items ?? [];
  const compactAll = async (store: StatsStore) => {
    let replaced = 0;
    for (const hour of [hourOf(base), hourOf(base) + 1]) {
      for (let shard = 0; shard < shards; shard += 1) replaced += await store.compact(hour, shard, 7);
    }
    return replaced;
  };

  it('count operations, and calls between services and to databases, however spans were sent', async () => {
    await put('whole', requests);
    const whole = await told(storeOf('whole'));
    expect(whole.operations.map(({ names, count, errors }) => [...names, count, errors])).toEqual([
      ['shop', 'SELECT', 'client', '', 60, 0],
      ['shop', 'order', 'server', 'entry', 60, 12],
      ['web', 'GET /', 'server', 'entry', 60, 12],
      ['web', 'call', 'client', '', 60, 0],
    ]);
    expect(whole.calls.map(({ names, count, errors }) => [...names, count, errors])).toEqual([
      ['shop', 'postgresql', 60, 0],
      ['web', 'shop', 60, 12],
    ]);
    const p95 = whole.operations.find(({ names }) => names[1] === 'GET /')?.p95 ?? 0;
    expect(Math.abs(p95 / 156 - 1)).toBeLessThanOrEqual(0.01);

    // Each service sends its own, a few spans at a time, and some requests come twice.
    const byService = [...Map.groupBy(requests, ({ service }) => service).values()];
    for (const own of byService) {
      for (let from = 0; from < own.length; from += 5) await put('parts', own.slice(from, from + 5));
    }
    await put('parts', byService[1]?.slice(0, 5) ?? []);
    expect(await told(storeOf('parts'))).toEqual(whole);
  });

  it('are the same after items were compacted, also when that stopped half-way or a request comes again', async () => {
    const store = storeOf('parts');
    const before = await told(store);
    const written = await items('parts');
    expect(await compactAll(store)).toBeGreaterThan(20);
    expect((await items('parts')).length).toBeLessThan(written.length / 2);
    expect(await told(store)).toEqual(before);
    // As if nothing had been removed, and all of it had been sent once more.
    for (const Item of written) await dynamo.client.send(new PutCommand({ TableName: 'parts', Item }));
    expect(await told(store)).toEqual(before);
    expect(await compactAll(store)).toBe(0);
    expect((await items('parts')).length).toBeLessThan(written.length / 2);
    expect(await told(store)).toEqual(before);
  });

  it('are compacted once where two do so at the same time', async () => {
    const later = requests.map(({ span, ...around }) => ({
      ...around,
      span: { ...span, spanId: `${Number(span.spanId[0]) + 4}${span.spanId.slice(1)}` },
    }));
    for (const one of later) await put('parts', [one]);
    const before = await told(storeOf('parts'));
    const [one, other] = await Promise.all([compactAll(storeOf('parts')), compactAll(storeOf('parts'))]);
    expect(one + other).toBeGreaterThan(100);
    expect(await told(storeOf('parts'))).toEqual(before);
  });

  it('merge in any order to the same, and are read back as they were written', () => {
    const some = fc.subarray(requests, { minLength: 1 });
    fc.assert(
      fc.property(some, some, (one, other) => {
        const merged = (...parts: (readonly TraceSpan[])[]) => {
          const whole = new Aggregate();
          for (const part of parts) whole.merge(Aggregate.of(part));
          return textOfAggregate(whole);
        };
        expect(merged(other, one)).toBe(merged(one, other));
        const text = textOfAggregate(Aggregate.of(one));
        expect(textOfAggregate(aggregateOfText(text))).toBe(text);
      }),
      { numRuns: 30 },
    );
  });

  it('say which calls nobody made that is known, and count one service alone', async () => {
    const client = dynamo.client;
    const lonely = spansOf(
      [{ id: 'aa', parent: 'bb', from: 0, to: 5, service: 'alone', kind: 'server' }],
      base,
    );
    const [Item] = statsItems(lonely, 7);
    await client.send(new BatchWriteCommand({ RequestItems: { whole: [{ PutRequest: { Item } }] } }));
    const alone = await totalsOf({ range, service: 'alone' }, storeOf('whole'));
    expect(alone.unresolvedCalls).toBe(1);
    expect(alone.operations.entries().map(([names]) => names[0])).toEqual(['alone']);
    const shop = await totalsOf({ range, service: 'postgresql' }, storeOf('whole'));
    expect(shop.calls.entries().map(([names]) => names)).toEqual([['shop', 'postgresql']]);
  });
});
