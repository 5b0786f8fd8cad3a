import { Readable } from 'node:stream';
import { CreateBucketCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ulid } from 'ulid';
import { AnalyticsTable } from '../../../../functions/cdn/analytics/analytics-table.ts';
import { BundleStore } from '../../../../functions/cdn/analytics/bundle-store.ts';
import { fold } from '../../../../functions/cdn/analytics/fold.ts';
import { analyticsHandlers } from '../../../../functions/cdn/analytics/handlers.ts';
import { ingestLog } from '../../../../functions/cdn/analytics/ingest.ts';
import { day, dayOf } from '../../../../functions/cdn/analytics/intervals.ts';
import { resetCounting } from '../../../../functions/cdn/analytics/reset.ts';
import { Traffic } from '../../../../functions/cdn/analytics/traffic.ts';
import { readTraffic } from '../../../../functions/cdn/analytics/traffic-reader.ts';

import { purgeIdSchema } from '../../../../functions/cdn/ids.ts';
import { PurgeLog } from '../../../../functions/cdn/purge-log.ts';
import { popularPathsOf } from '../../../../functions/cdn/warming/popular-paths.ts';
import { type EmulatedS3, startS3 } from '../../../local/s3/emulated-s3.ts';
import { startDynamo, type TestDynamo } from '../../shared/dynamodb.ts';
import { begin, count, type Request, request, w3c, websites } from './support/logs.ts';

const bucket = 'edge-logs';
const retention = { hourlyDays: 35, dailyDays: 400 };
const noon = new Date((begin + 2 * 3600) * 1000);
let dynamo: TestDynamo;
let s3: EmulatedS3;
let tables = 0;
let now = noon;
let table: AnalyticsTable;
/** One that keeps next to nothing in items. */
let bundles: BundleStore;

const names = Array.from({ length: 24 }, (_, index) => `cdn-${index}`);
beforeAll(async () => {
  [dynamo, s3] = await Promise.all([startDynamo(...names), startS3()]);
  await s3.client.send(new CreateBucketCommand({ Bucket: bucket }));
});
afterAll(() => Promise.all([dynamo.stop(), s3.close()]));

function anew(inline = 400): void {
  table = new AnalyticsTable(dynamo.client, names[tables++ % names.length] ?? '');
  bundles = new BundleStore(s3.client, bucket, inline);
}
beforeEach(() => {
  now = noon;
  anew();
});

const purges = () => new PurgeLog(dynamo.client, names[(tables - 1) % names.length] ?? '');
const ingest = (log: string) =>
  ingestLog(Readable.from([Buffer.from(log)]), { table, bundles, websites, retention, now: () => now });
const foldAll = (hasTime = () => true) => fold({ table, bundles, retention, hasTime, now: () => now });
const all = { from: begin, to: begin + 4 * 3600 };

async function read(tenant?: string, range = all): Promise<Traffic> {
  const { steps } = await readTraffic({ table, bundles }, range, tenant, false);
  const traffic = new Traffic();
  for (const step of steps) traffic.merge(step.traffic);
  return traffic;
}

const bytesOf = (traffic: Traffic) => traffic.toBytes().toString('base64');

const requestOf: fc.Arbitrary<Request> = fc
  .record({
    second: fc.integer({ min: 0, max: 2 * 3600 - 1 }),
    host: fc.constantFrom('acme.sites.example', 'other.sites.example'),
    path: fc.constantFrom('/', '/a.css', '/b.js'),
    result: fc.constantFrom<('Hit' | 'Miss')[]>('Hit', 'Miss'),
    address: fc.ipV4(),
  })
  .map(request);

describe('logs that were counted', () => {
  it('come to the same, however requests are spread over logs, in whatever order and how often these come, and whenever they are folded', async () => {
    const log = fc.uniqueArray(requestOf, { minLength: 1, maxLength: 6, selector: ({ address }) => address });
    const logs = fc.uniqueArray(log, {
      minLength: 1,
      maxLength: 4,
      selector: (each) => JSON.stringify(each),
    });
    await fc.assert(
      fc.asyncProperty(logs, fc.infiniteStream(fc.nat()), async (parts, choices) => {
        anew(choices.next().value % 2 === 0 ? 1 : 100_000);
        const choose = (most: number) => choices.next().value % most;
        const queue = [...parts, ...parts.filter(() => choose(2) === 0)];
        while (queue.length > 0) {
          const [next = []] = queue.splice(choose(queue.length), 1);
          await ingest(w3c(next));
          // A fold may run at any time, and be ended at any time.
          let steps = choose(12);
          if (choose(2) === 0) await foldAll(() => steps-- > 0);
        }
        const wanted = new Traffic();
        const { intervals } = await count([w3c(parts.flat())]);
        for (const tenants of intervals.values()) for (const own of tenants.values()) wanted.merge(own);
        expect(bytesOf(await read())).toBe(bytesOf(wanted));
        await foldAll();
        expect(bytesOf(await read())).toBe(bytesOf(wanted));
        const acme = new Traffic();
        for (const tenants of intervals.values()) acme.merge(tenants.get('acme') ?? new Traffic());
        expect(bytesOf(await read('acme'))).toBe(bytesOf(acme));
      }),
      { numRuns: 8 },
    );
  });

  it('count once where the fold is killed between any two of its calls', async () => {
    const log = w3c([request(), request({ second: 3_600, result: 'Miss' })]);
    await ingest(log);
    await ingest(w3c([request({ second: 5 })]));
    for (let call = 0; ; call += 1) {
      let left = call;
      const dying = new Proxy(dynamo.client, {
        get(client, name) {
          const value: unknown = Reflect.get(client, name);
          if (name !== 'send' || typeof value !== 'function') return value;
          return (...input: unknown[]) => {
            if (left === 0) throw new Error('Killed');
            left -= 1;
            return value.apply(client, input);
          };
        },
      });
      const own = new AnalyticsTable(dying, names[(tables - 1) % names.length] ?? '');
      const deps = { table: own, bundles, retention, hasTime: () => true, now: () => now };
      const ended = await fold(deps).then(
        () => true,
        () => false,
      );
      // What was folded may come again.
      await ingest(log);
      expect((await read()).requests).toBe(3);
      if (ended) break;
      expect(call).toBeLessThan(60);
    }
  });

  it('count once where two fold at the same time', async () => {
    for (let index = 0; index < 6; index += 1) await ingest(w3c([request({ second: index })]));
    await Promise.all([foldAll(), foldAll(), foldAll()]);
    await foldAll();
    expect((await read()).requests).toBe(6);
    expect(await table.marked('interval')).toEqual([]);
  });

  it('are put together by days when these are over, and late ones are added', async () => {
    await ingest(w3c([request(), request({ second: 7_200 })]));
    await foldAll();
    expect(await table.total({ kind: 'day', start: dayOf(begin) })).toBeUndefined();
    now = new Date((dayOf(begin) + day + 3 * 3600) * 1000);
    expect(await foldAll()).toMatchObject({ days: 1, left: false });
    const range = { from: dayOf(begin), to: dayOf(begin) + day };
    expect((await read(undefined, range)).requests).toBe(2);
    await ingest(w3c([request({ second: 9 })]));
    await foldAll();
    expect((await read(undefined, range)).requests).toBe(3);
    expect((await read('acme', range)).requests).toBe(3);
    expect((await read('nobody', range)).requests).toBe(0);
  });

  it('leave nothing in S3 but what totals refer to', async () => {
    anew(1);
    const keys = async () => {
      const { Contents = [] } = await s3.client.send(new ListObjectsV2Command({ Bucket: bucket }));
      return Contents.map(({ Key = '' }) => Key);
    };
    const before = new Set(await keys());
    for (let index = 0; index < 5; index += 1) {
      await ingest(w3c([request({ second: index })]));
      await foldAll();
    }
    const left = (await keys()).filter((key) => !before.has(key));
    // The present total, and the one before it, which somebody may be reading.
    expect(left.map((key) => key.replace(/-\w+$/, ''))).toEqual([
      'totals/interval/2026-11-20T10:00:00.000Z/4',
      'totals/interval/2026-11-20T10:00:00.000Z/5',
    ]);
  });
});

describe('the answers of analytics', () => {
  const trace = { traceId: '', traceparent: '' };
  const ask = async (
    name: 'getAnalytics' | 'getAnalyticsStats' | 'getAnalyticsPaths' | 'getAnalyticsRegions',
    query: object,
  ) => {
    const handlers: Record<string, unknown> = {
      ...analyticsHandlers({ table, bundles, retention, purges: purges(), now: () => now }),
    };
    const handler = handlers[name];
    if (typeof handler !== 'function') throw new Error(name);
    return Reflect.apply(handler, undefined, [{ query, trace }]);
  };
  const requests = [
    request({ path: '/a', bytes: 3_000 }),
    request({ path: '/a', result: 'Miss', country: 'FR', edge: 'CDG52-P3', second: 3_600 }),
    request({ path: '/b', status: 503, result: 'Error', host: 'www.example', country: 'BR', second: 3_700 }),
  ];

  it('show totals, rates, rankings and bounds of errors', async () => {
    await ingest(w3c(requests));
    const id = ulid((begin + 60) * 1000);
    for (const each of [id, id]) await purges().note(purgeIdSchema.parse(each), 'acme', begin + day);
    const { body } = await ask('getAnalytics', {});
    expect(body).toMatchObject({
      tenant: null,
      totals: {
        ...{ requests: 3, hits: 1, misses: 1, hitRatePercent: 50, byteHitRatePercent: 75 },
        ...{ bytes: 5_000, bandwidthGb: 0.000005, serverErrors: 1, clientErrors: 0, purges: 1 },
        uniqueVisitors: { estimate: 1, standardErrorPercent: 1.63 },
        latencyMs: { relativeErrorPercent: 1 },
      },
      topPaths: {
        errorRequests: 0,
        items: [{ key: '/a', requests: 2, bytes: 4_000, hits: 1 }, { key: '/b' }],
      },
      freshness: { complete: true, countedSince: null, note: expect.stringContaining('best effort') },
    });
    expect(Math.abs(body.totals.latencyMs.p50 - 82)).toBeLessThanOrEqual(0.82);
  });

  it('go by the hour, by the day, by tenant and by time', async () => {
    await ingest(w3c(requests));
    const { body } = await ask('getAnalyticsStats', { granularity: 'hour', from: '2026-11-20T09:30:00Z' });
    const series: { at: string; requests: number }[] = body.series;
    expect(series.map(({ at, requests }) => [at.slice(11, 16), requests])).toEqual([
      ['09:00', 0],
      ['10:00', 1],
      ['11:00', 2],
    ]);
    const byDay = await ask('getAnalyticsStats', {
      granularity: 'day',
      from: '2026-11-18T12:00:00Z',
      tenant: 'acme',
    });
    expect(byDay.body.series.map((step: { requests: number }) => step.requests)).toEqual([0, 0, 2]);
    const paths = await ask('getAnalyticsPaths', { limit: 1, to: '2026-11-20T10:30:00Z' });
    expect(paths.body.paths.items).toEqual([{ key: '/a', requests: 1, bytes: 3_000, hits: 1 }]);
    const { body: where } = await ask('getAnalyticsRegions', {});
    expect(
      where.regions.items.map(({ key, requests }: { key: string; requests: number }) => [key, requests]),
    ).toEqual([
      ['Europe', 2],
      ['South America', 1],
    ]);
  });

  it('say which paths of the last day are popular: those that an edge can have, each once', async () => {
    const long = `/${'a'.repeat(600)}`;
    const other = 'other.sites.example';
    const asked = [
      '/a',
      '/b',
      '/b',
      '/%62',
      '/c?v=1',
      '/c?v=2',
      '/c',
      '/c',
      '//evil',
      '/../etc',
      '*',
      long,
      long,
    ];
    const third = ['/third', '/third', '/third', '/b', '/%zz'].map((path) => request({ path, host: other }));
    await ingest(w3c([...asked.map((path) => request({ path })), ...third]));
    await foldAll();
    await ingest(
      w3c([request({ path: '/a', second: 3_600 }), request({ path: '/old', second: -26 * 3_600 })]),
    );
    const popular = (queryStrings: 'ignored' | 'kept') =>
      popularPathsOf({ table, bundles, queryStrings, now: () => now.getTime() });
    expect(await popular('ignored')(1_000, undefined)).toEqual(['/b', '/c', '/third', '/a']);
    expect(await popular('ignored')(2, 'acme')).toEqual(['/c', '/b']);
    expect(await popular('kept')(1_000, 'acme')).toEqual(['/b', '/a', '/c', '/c?v=1', '/c?v=2']);
    expect(await popular('ignored')(1_000, 'nobody')).toEqual([]);
    // No more than one warming takes, the most wanted first.
    const many = Array.from({ length: 600 }, (_, index) => request({ path: `/${index}/${'x'.repeat(500)}` }));
    await ingest(w3c([...many, request(many[599] ?? {})]));
    const room = await popular('ignored')(1_000, undefined);
    expect(room.indexOf(many[599]?.path ?? '')).toBe(3);
    expect(room.length).toBeGreaterThan(500);
    expect(room.join('').length).toBeLessThanOrEqual(262_144);
    await resetCounting(table, retention, now);
    expect(await popular('ignored')(1_000, undefined)).toEqual([]);
  });

  it('refuse times that are none, or too long', async () => {
    for (const query of [
      { from: '2026-11-20T12:00:01Z' },
      { from: '2026-11-20T11:00:00Z', to: '2026-11-20T10:00:00Z' },
      { from: '2026-11-10T00:00:00Z', granularity: 'hour' },
      { from: '2026-08-01T00:00:00Z', granularity: 'day' },
    ]) {
      await expect(ask('getAnalyticsStats', query)).rejects.toMatchObject({
        kind: 'invalid-request',
        errors: [{ field: 'query.from' }],
      });
    }
  });

  it('begin anew after a reset, and what was before is found by its time', async () => {
    await ingest(w3c([request({ second: 7_000 })]));
    const reset = await resetCounting(table, retention, new Date((begin + 7_100) * 1000));
    now = new Date((begin + 7_100) * 1000);
    expect((await ask('getAnalytics', {})).body).toMatchObject({ totals: { requests: 0 } });
    await ingest(w3c([request({ second: 7_050 }), request({ second: 7_150 })]));
    now = noon;
    expect((await ask('getAnalytics', {})).body).toMatchObject({
      from: new Date(reset * 1000).toISOString(),
      totals: { requests: 1 },
      freshness: { countedSince: new Date(reset * 1000).toISOString() },
    });
    expect((await ask('getAnalytics', { from: '2026-11-20T10:00:00Z' })).body).toMatchObject({
      totals: { requests: 3 },
    });
  });
});
