import { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { purgeIdSchema, type WarmingId, warmingIdSchema } from '../../../functions/cdn/ids.ts';
import { CloudFront } from '../../../functions/cdn/providers/cloudfront.ts';
import { EdgeClient } from '../../../functions/cdn/providers/edge-client.ts';
import { providerSettingsSchema } from '../../../functions/cdn/providers/settings.ts';
import { purgeBodySchema } from '../../../functions/cdn/purge/model.ts';
import { newPurge } from '../../../functions/cdn/purge/request.ts';
import { runTurn as runPurgeTurn } from '../../../functions/cdn/purge/run-turn.ts';
import { PurgeStore } from '../../../functions/cdn/purge/store.ts';
import { QueueStore } from '../../../functions/cdn/queue/queue-store.ts';
import { VersionedItems } from '../../../functions/cdn/versioned-items.ts';
import {
  popularBodySchema,
  type WarmBody,
  warmBodySchema,
  warmingSchema,
} from '../../../functions/cdn/warming/model.ts';
import type { Wanted } from '../../../functions/cdn/warming/record.ts';
import { newWarming } from '../../../functions/cdn/warming/request.ts';
import {
  endInterrupted,
  runTurn,
  type WarmingDependencies,
} from '../../../functions/cdn/warming/run-turn.ts';
import { makeScheduled } from '../../../functions/cdn/warming/scheduled.ts';
import { scheduleBodySchema } from '../../../functions/cdn/warming/schedules/model.ts';
import { ScheduleStore } from '../../../functions/cdn/warming/schedules/schedule-store.ts';
import { scheduleHandlers } from '../../../functions/cdn/warming/schedules/schedules-api.ts';
import { warmAfterPurge } from '../../../functions/cdn/warming/start.ts';
import { WarmingStore } from '../../../functions/cdn/warming/store.ts';
import { tasksOf } from '../../../functions/cdn/warming/tasks.ts';
import { pathsOfUser, userIdSchema } from '../../../functions/cdn/warming/user-paths.ts';
import { showWarming } from '../../../functions/cdn/warming/view.ts';
import { warmSlice } from '../../../functions/cdn/warming/warm-slice.ts';
import { warmingHandlers } from '../../../functions/cdn/warming/warming-api.ts';
import { CircuitBreaker } from '../../../functions/shared/circuit-breaker.ts';
import { newId } from '../../../functions/shared/ids.ts';
import { startDynamo, type TestDynamo } from '../shared/dynamodb.ts';
import { type EdgeServer, startEdge } from './support/edge-server.ts';
import { startCloudFront } from './support/provider-servers.ts';

jest.setTimeout(30_000);

const table = 'cdn';
const domain = 'www.example.com';
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const clock = { now: Date.now() };
const now = () => clock.now;

let dynamo: TestDynamo;
let edge: EdgeServer;
let store: WarmingStore;
let deps: WarmingDependencies;
const told: string[] = [];
const slept: number[] = [];

beforeAll(async () => {
  dynamo = await startDynamo(table);
});
afterAll(() => dynamo.stop());
beforeEach(async () => {
  told.length = 0;
  slept.length = 0;
  edge = await startEdge({ now });
  store = new WarmingStore(dynamo.client, table, now);
  const client = new EdgeClient({ kind: 'cloudfront', domain, edgeUrl: edge.url });
  deps = {
    ...{ store, now, requestsPerSecond: 1_000 },
    queue: new QueueStore(new VersionedItems(dynamo.client, table, now), newId(), { warmings: 1 }, now),
    ask: (request) => client.get(request),
    sleep: async (ms) => {
      slept.push(ms);
      clock.now += ms;
    },
    hasTime: () => true,
  };
});
afterEach(() => edge.stop());

const teller = {
  announcer: {
    announce: async (_source: string, name: string) => {
      told.push(name);
    },
  },
  record: async ({ action }: { action: string }) => {
    told.push(action);
  },
  store: { save: (record: Parameters<WarmingStore['save']>[0]) => store.save(record) },
};

async function begin(
  body: Partial<WarmBody>,
  locations: { name: string; address: string }[] = [],
): Promise<WarmingId> {
  const asked = warmBodySchema.parse(body);
  const about = {
    id: warmingIdSchema.parse(newId(new Date(now()))),
    trigger: 'api',
    traceparent,
    now: now(),
  } as const;
  clock.now += 1;
  const { record, wanted } = newWarming(asked.paths, asked, { domain, locations }, 'ignored', about);
  await store.create(record, wanted);
  return record.id;
}
const turn = (id: WarmingId, more: Partial<WarmingDependencies> = {}) =>
  runTurn({ ...deps, ...more }, teller, id);
const show = async (id: WarmingId) => {
  const record = await store.get(id);
  if (record === undefined) throw new Error('There is no such warming');
  return warmingSchema.parse(showWarming(record));
};
const results = async (id: WarmingId, from = 0, limit = 100) => {
  const record = await store.get(id);
  return record === undefined ? [] : store.results(record, from, limit);
};
const numbers = (count: number, name = 'p') =>
  Array.from({ length: count }, (_, index) => `/${name}/${index}.png`);

describe('a warming', () => {
  it('turns what was a MISS into a HIT, in the variants that matter, and says so of each request', async () => {
    const id = await begin({ paths: ['/b.png', '/', { path: '/a.css', priority: 'high' }, '/b.png?x=1'] });
    expect(await turn(id)).toMatchObject({ outcome: 'ended', ended: { state: 'completed' } });
    expect(edge.asked).toHaveLength(5);
    // The stylesheet is more urgent than the page, which is compressed as well.
    const asked = (await results(id)).map(
      ({ path, encoding, before, error }) => `${path} ${encoding} ${before} ${error}`,
    );
    expect(asked).toEqual([
      ...['/a.css br cold null', '/a.css gzip cold null', '/b.png identity cold null'],
      ...['/ br cold null', '/ gzip cold null'],
    ]);
    expect(await show(id)).toMatchObject({ progress: { requests: 5, done: 5, cold: 5, warm: 0, failed: 0 } });
    expect(told).toEqual(['warming.completed', 'warming.completed']);
    const again = await begin({ paths: ['/a.css', '/b.png', '/'] });
    await turn(again);
    expect(await show(again)).toMatchObject({ state: 'completed', progress: { warm: 5, cold: 0 } });
    expect((await results(again, 1, 2)).map(({ path }) => path)).toEqual(['/a.css', '/b.png']);
  });

  it('asks no more at once than it may, keeps away from who wants that, and gives up after three attempts', async () => {
    edge.trouble.set('/p/0.png', [{ status: 429, headers: { 'retry-after': '7' } }]);
    edge.trouble.set('/p/1.png', Array(3).fill({ status: 503 }));
    edge.trouble.set('/p/2.png', [{ status: 404 }]);
    const slow = await startEdge({ delayMs: 5 });
    const client = new EdgeClient({ kind: 'cloudfront', domain, edgeUrl: slow.url });
    const ask = (request: Parameters<typeof client.get>[0]) => client.get(request);
    const tasks = tasksOf(
      { paths: numbers(40, 'q').map((path) => ({ path, priority: 'normal' })), imageFormats: [] },
      [],
    );
    await warmSlice({ ...deps, ask }, domain, tasks, 3);
    expect(slow.mostAtOnce()).toBeLessThanOrEqual(3);
    await slow.stop();

    const id = await begin({ paths: numbers(4), concurrency: 1 });
    await turn(id);
    expect(slept.some((ms) => ms > 6_900 && ms <= 7_001)).toBe(true);
    expect((await results(id)).map(({ status, attempts, error }) => [status, attempts, error])).toEqual([
      ...[
        [200, 2, null],
        [503, 3, 'status-503'],
        [404, 1, 'status-404'],
        [200, 1, null],
      ],
    ]);
    expect(await show(id)).toMatchObject({ state: 'completed', progress: { failed: 2 } });

    // Ten within a second, and not all at the beginning of it.
    slept.length = 0;
    const from = clock.now;
    await warmSlice({ ...deps, requestsPerSecond: 10 }, domain, tasks.slice(0, 21), 1);
    expect(clock.now - from).toBeGreaterThanOrEqual(1_999);
  });

  it('goes on where it was cut short, and is done by one at a time, the urgent one first', async () => {
    const normal = await begin({ paths: numbers(60), concurrency: 2 });
    expect(await turn(normal, { hasTime: () => edge.asked.length < 15 })).toMatchObject({ outcome: 'again' });
    const stopped = edge.asked.length;
    expect(await show(normal)).toMatchObject({ state: 'running', progress: { done: stopped } });
    const urgent = await begin({ paths: numbers(3, 'u'), priority: 'high' });
    const later = await begin({ paths: numbers(2, 'l') });
    expect(await turn(urgent)).toMatchObject({ outcome: 'again' });
    expect(await turn(later)).toMatchObject({ outcome: 'again' });
    expect(await turn(normal)).toMatchObject({ outcome: 'again' });
    expect(await show(normal)).toMatchObject({ progress: { done: stopped } });
    expect(await turn(urgent)).toMatchObject({ outcome: 'ended' });
    expect(await turn(later)).toMatchObject({ outcome: 'again' });
    expect(await turn(normal)).toMatchObject({ outcome: 'ended' });
    expect(await turn(later)).toMatchObject({ outcome: 'ended' });
    expect(edge.asked.filter((one) => one.startsWith('/p/'))).toHaveLength(60);
    expect(new Set((await results(normal)).map(({ path }) => path)).size).toBe(60);
  });

  it('is canceled between requests, and fails when nothing was answered or its execution was lost', async () => {
    const canceled = await begin({ paths: numbers(50), concurrency: 1 });
    const { ask } = deps;
    let asked = 0;
    await turn(canceled, {
      ask: async (request) => {
        clock.now += 500;
        const record = await store.get(canceled);
        if (++asked === 6 && record !== undefined) await store.save({ ...record, cancelRequested: true });
        return ask(request);
      },
    });
    expect(await show(canceled)).toMatchObject({ state: 'canceled' });
    expect(asked).toBeLessThan(10);

    const lost = await begin({ paths: ['/private/a'] });
    await endInterrupted(deps, teller, lost, 'TIMED_OUT');
    expect(await show(lost)).toMatchObject({ state: 'failed', error: { code: 'interrupted' } });
    await edge.stop();
    const dead = await begin({ paths: ['/a.png'] });
    await turn(dead);
    expect(await show(dead)).toMatchObject({ state: 'failed', error: { code: 'nothing-warmed' } });
    expect(await results(dead)).toMatchObject([{ error: 'connection-failed', attempts: 3, status: null }]);
    expect(told.filter((name) => name === 'warming.failed')).toHaveLength(4);
  });

  it('asks hosts of the own edge alone: paths cannot leave it, and redirects are not followed', async () => {
    const id = await begin({ paths: ['/redirect.png'] });
    await turn(id);
    expect(edge.asked).toHaveLength(1);
    expect(await results(id)).toMatchObject([{ status: 302, error: null }]);
    for (const path of [
      '//evil.example/',
      'http://evil.example/',
      '/a\r\nHost: evil',
      '/@evil',
      '/a\\@evil',
    ]) {
      const body = { paths: [path] };
      if (path === '/@evil') await begin(body);
      else await expect(begin(body)).rejects.toThrow();
    }
    // Where a location is named, it is asked there, and under the domain's own name.
    const other = await startEdge({ location: 'SIN2-C1' });
    const located = await begin({ paths: ['/a.png'] }, [
      { name: 'near', address: edge.url.slice('http://'.length) },
      { name: 'far', address: other.url.slice('http://'.length) },
    ]);
    await turn(located);
    expect((await results(located)).map(({ location }) => location)).toEqual(['FRA50-C1', 'SIN2-C1']);
    await other.stop();
  });

  it('follows a purge, and is waited for', async () => {
    const server = await startCloudFront();
    const settings = providerSettingsSchema.parse({ kind: 'cloudfront', domain, distributionId: 'E9' });
    if (settings.kind !== 'cloudfront') throw new Error('not CloudFront');
    const client = new CloudFrontClient({
      ...{ endpoint: server.url, region: 'us-east-1', maxAttempts: 1 },
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    const provider = new CloudFront(client, settings, new CircuitBreaker('it', now));
    const purges = new PurgeStore(dynamo.client, table, now);
    const items = new VersionedItems(dynamo.client, table, now);
    const started: string[] = [];
    const refused: WarmingId[] = [];
    const start = async (name: string) => {
      if (refused.length === 0) {
        refused.push(warmingIdSchema.parse(name));
        throw new Error('no workflow is started');
      }
      started.push(name);
    };
    const purgeDeps = {
      ...{ store: purges, provider, now, ask: deps.ask, hasTime: () => true },
      queueOf: () => new QueueStore(items, 'E9', {}, now),
      startWarming: (purge: Parameters<typeof warmAfterPurge>[2], paths: readonly string[]) =>
        warmAfterPurge(store, start, purge, paths, [], now()),
      warmingState: async (id: WarmingId) => (await store.get(id))?.state,
    };
    const body = purgeBodySchema.parse({ paths: ['/a.png'], prefixes: ['/'], rewarm: true, verify: true });
    const about = { id: purgeIdSchema.parse(newId()), requestedBy: 'key', traceparent, now: now() };
    const made = await newPurge(provider, body, 'ignored', about);
    await purges.create(made.record, made.items, { rewarm: made.rewarm });
    const purgeTeller = { ...teller, store: purges };
    await runPurgeTurn(purgeDeps, purgeTeller, about.id);
    server.complete();
    edge.forget();
    clock.now += 2_000;
    await expect(runPurgeTurn(purgeDeps, purgeTeller, about.id)).rejects.toThrow('no workflow is started');
    // What could not be started does not wait for ever; the next turn starts another.
    for (const id of refused)
      expect(await show(id)).toMatchObject({ state: 'failed', error: { code: 'NotStarted' } });
    expect(await runPurgeTurn(purgeDeps, purgeTeller, about.id)).toMatchObject({ outcome: 'again' });
    const { warmingId } = (await purges.get(about.id)) ?? {};
    if (warmingId === undefined) throw new Error('no warming was started');
    expect(started).toEqual([warmingId]);
    expect(refused).not.toContain(warmingId);
    await turn(warmingId);
    expect(await show(warmingId)).toMatchObject({ trigger: 'purge', priority: 'high', state: 'completed' });
    expect(await runPurgeTurn(purgeDeps, purgeTeller, about.id)).toMatchObject({ outcome: 'ended' });
    expect(await purges.get(about.id)).toMatchObject({ state: 'completed' });
    await server.stop();
  });
});

describe('what is warmed', () => {
  it('is every path in every variant at every location, once, urgent ones first', () => {
    const wanted: fc.Arbitrary<Wanted> = fc.record({
      paths: fc.uniqueArray(
        fc.record({
          path: fc.constantFrom('/', '/a', '/a.css', '/b.png', '/c.jpg?x=1', '/d.woff2'),
          priority: fc.constantFrom('normal' as const, 'high' as const),
        }),
        { selector: ({ path }) => path },
      ),
      imageFormats: fc.subarray(['avif' as const, 'webp' as const]),
    });
    fc.assert(
      fc.property(wanted, fc.subarray(['one', 'two']), (what, addresses) => {
        const tasks = tasksOf(what, addresses);
        expect(new Set(tasks.map((task) => JSON.stringify(task))).size).toBe(tasks.length);
        expect(new Set(tasks.map(({ path }) => path))).toEqual(new Set(what.paths.map(({ path }) => path)));
        const high = new Set(
          what.paths.filter(({ priority }) => priority === 'high').map(({ path }) => path),
        );
        const firstNormal = tasks.findIndex(({ path }) => !high.has(path));
        if (firstNormal >= 0) expect(tasks.slice(firstNormal).some(({ path }) => high.has(path))).toBe(false);
      }),
    );
    const images = tasksOf({ paths: [{ path: '/b.png', priority: 'normal' }], imageFormats: ['avif'] }, []);
    expect(images.map(({ imageFormat }) => imageFormat)).toEqual([null, 'avif']);
  });

  it('is refused where it is too much, and of users made of their ids alone', () => {
    expect(pathsOfUser(['/u/{userId}/a', '/{userId}$&'], 'a@b')).toEqual(['/u/a%40b/a', '/a%40b$&']);
    for (const id of ['', '../x', 'a/b', '.a', 'a b', 'a\n'])
      expect(userIdSchema.safeParse(id).success).toBe(false);
    const body = warmBodySchema.parse({ paths: numbers(5_000).map((path) => path.replace('png', 'css')) });
    const about = { id: warmingIdSchema.parse(newId()), trigger: 'api', traceparent, now: 0 } as const;
    const locations = ['a', 'b', 'c'].map((name) => ({ name, address: name }));
    expect(() => newWarming(body.paths, body, { domain, locations }, 'ignored', about)).toThrow(
      '30000 requests',
    );
  });
});

describe('schedules of warmings', () => {
  it('are made, shown and removed, start what they name or what is popular, and are refused when they cannot', async () => {
    const schedules = new ScheduleStore(dynamo.client, table);
    const made: string[] = [];
    const scheduler = {
      create: async ({ id }: { id: string }) => {
        made.push(`+${id}`);
      },
      remove: async (id: string) => {
        made.push(`-${id}`);
      },
    };
    const target = async () => ({ kind: 'zone', id: 'z', domain, shared: false }) as const;
    const server = await startCloudFront();
    const settings = providerSettingsSchema.parse({ kind: 'cloudfront', domain, distributionId: 'E1' });
    if (settings.kind !== 'cloudfront') throw new Error('not CloudFront');
    const client = new CloudFrontClient({ endpoint: server.url, region: 'us-east-1', maxAttempts: 1 });
    const provider = Object.assign(new CloudFront(client, settings, new CircuitBreaker('it')), { target });
    const handlers = scheduleHandlers({
      ...{ provider, queryStrings: 'ignored', schedules, scheduler, now },
      locations: Array.from({ length: 20 }, (_, index) => ({ name: `${index}`, address: `${index}` })),
    });
    const log = { info: () => {} };
    const create = async (body: object, workId = newId()) =>
      Reflect.apply(handlers.createWarmingSchedule, undefined, [
        { body: scheduleBodySchema.parse(body), caller: { keyId: 'key' }, workId, log },
      ]);
    const workId = newId();
    const body = { expression: 'cron(0 6 * * ? *)', paths: ['/a.css'] };
    const first = await create(body, workId);
    // Asked again, it is the same one.
    expect(await create(body, workId)).toEqual(first);
    expect(made).toEqual([`+${workId}`, `+${workId}`]);
    expect(first).toMatchObject({ status: 201, body: { nextRunAt: expect.stringMatching(/T06:00:00/) } });
    for (const [wrong, field] of [
      [{ ...body, expression: 'cron(0 25 * * ? *)' }, 'body.expression'],
      [{ ...body, timezone: 'Mars/Base' }, 'body.timezone'],
      [{ ...body, paths: ['//evil'] }, 'body.paths.0'],
      // At twenty locations, in two variants each.
      [{ ...body, paths: undefined, popular: 501 }, 'body.popular'],
    ] as const) {
      await expect(create(wrong)).rejects.toMatchObject({ status: 422, errors: [{ field }] });
    }
    expect(scheduleBodySchema.safeParse({ ...body, popular: 3 }).success).toBe(false);
    const popular = await create({ ...body, paths: undefined, popular: 500, tenant: 'acme' });
    const record = (await schedules.list()).find(({ id }) => id === workId);
    if (record === undefined) throw new Error('there is none');

    const found = {
      ...{ store, schedules, provider, queryStrings: 'ignored' as const, locations: [], now },
      popularPaths: async (top: number, tenant?: string) => (tenant === 'acme' ? numbers(top) : []),
    };
    const id = await store.idOfExecution('a-name-that-a-schedule-gave', true);
    if (id === undefined) throw new Error('it has no warming');
    expect(await store.idOfExecution('a-name-that-a-schedule-gave', true)).toBe(id);
    for (let twice = 0; twice < 2; twice++)
      expect(await makeScheduled(found, id, record.id, traceparent)).toBe(true);
    expect(await show(id)).toMatchObject({
      trigger: 'schedule',
      scheduleId: workId,
      progress: { requests: 2 },
    });
    const wanted = await store.idOfExecution('what-is-popular', true);
    if (wanted === undefined) throw new Error('it has no warming');
    const nobody = { ...found, popularPaths: async () => [] };
    expect(await makeScheduled(nobody, wanted, popular.body.id, traceparent)).toBe(false);
    expect(await makeScheduled(found, wanted, popular.body.id, traceparent)).toBe(true);
    expect(await show(wanted)).toMatchObject({ progress: { requests: 500 } });
    let refuses = false;
    const api = warmingHandlers({
      ...{ provider, queryStrings: 'ignored', locations: [], userPaths: [], warmings: store, now },
      startWarming: async () => {
        if (refuses) throw new Error('no workflow is started');
      },
      popularPaths: found.popularPaths,
    });
    const warmPopular = (asked: object, workId: string = newId()) =>
      Reflect.apply(api.warmPopular, undefined, [
        {
          ...{ body: popularBodySchema.parse(asked), caller: { keyId: 'key' }, workId },
          ...{ trace: { traceparent }, log },
        },
      ]);
    expect(await warmPopular({ tenant: 'acme' })).toMatchObject({
      ...{ status: 202, body: { trigger: 'api', progress: { requests: 100 } } },
    });
    refuses = true;
    const repeated = newId();
    await expect(warmPopular({ tenant: 'acme' }, repeated)).rejects.toThrow('no workflow is started');
    const unstarted = warmingIdSchema.parse(repeated);
    expect(await show(unstarted)).toMatchObject({ state: 'failed', error: { code: 'NotStarted' } });
    refuses = false;
    const other = await warmPopular({ tenant: 'acme' }, repeated);
    expect(other).toMatchObject({ status: 202, body: { state: 'queued' } });
    expect(other.body.id).not.toBe(unstarted);
    await expect(warmPopular({})).rejects.toMatchObject({
      status: 409,
      extensions: { code: 'no-analytics' },
    });
    const params = { scheduleId: record.id };
    await Reflect.apply(handlers.removeWarmingSchedule, undefined, [{ params, log }]);
    await expect(
      Reflect.apply(handlers.getWarmingSchedule, undefined, [{ params, log }]),
    ).rejects.toMatchObject({ status: 404 });
    const next = await store.idOfExecution('another', true);
    expect(next !== undefined && (await makeScheduled(found, next, record.id, traceparent))).toBe(false);
    await server.stop();
  });
});
