import { generateKeyPairSync } from 'node:crypto';
import { CloudFrontClient } from '@aws-sdk/client-cloudfront';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { assetUrl, standingOf } from '../../../functions/cdn/assets/asset-url.ts';
import { urlSigner } from '../../../functions/cdn/assets/sign-url.ts';
import type { PurgeId } from '../../../functions/cdn/ids.ts';
import { answerProvider } from '../../../functions/cdn/provider-problems.ts';
import { CloudFront } from '../../../functions/cdn/providers/cloudfront.ts';
import { EdgeClient } from '../../../functions/cdn/providers/edge-client.ts';
import { ProviderUnreachableError } from '../../../functions/cdn/providers/errors.ts';
import { providerSettingsSchema } from '../../../functions/cdn/providers/settings.ts';
import { collectedAt, itemsOfChanges, pathsOfKey, windowOf } from '../../../functions/cdn/purge/collect.ts';
import { contentChanged } from '../../../functions/cdn/purge/content-changed.ts';
import type { PurgeDependencies } from '../../../functions/cdn/purge/dependencies.ts';
import { type PurgeBody, purgeBodySchema, purgeSchema } from '../../../functions/cdn/purge/model.ts';
import { newPurge } from '../../../functions/cdn/purge/request.ts';
import { endInterrupted, runTurn } from '../../../functions/cdn/purge/run-turn.ts';
import { PurgeStore } from '../../../functions/cdn/purge/store.ts';
import { showPurge } from '../../../functions/cdn/purge/view.ts';
import { type Asking, ask, type Entry, isOvertaken, leave } from '../../../functions/cdn/queue/queue.ts';
import { QueueStore } from '../../../functions/cdn/queue/queue-store.ts';
import { VersionedItems } from '../../../functions/cdn/versioned-items.ts';
import { CircuitBreaker } from '../../../functions/shared/circuit-breaker.ts';
import { newId } from '../../../functions/shared/ids.ts';
import { startDynamo, type TestDynamo } from '../shared/dynamodb.ts';
import { type EdgeServer, startEdge } from './support/edge-server.ts';
import { type ProviderServer, startCloudFront } from './support/provider-servers.ts';

jest.setTimeout(30_000);

const table = 'cdn';
const domain = 'www.example.com';
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

let dynamo: TestDynamo;
let server: ProviderServer;
let edge: EdgeServer;
let provider: CloudFront;
let store: PurgeStore;
let deps: PurgeDependencies;
const clock = { now: Date.now() };
const told: string[] = [];
const now = () => clock.now;

beforeAll(async () => {
  dynamo = await startDynamo(table);
});
afterAll(() => dynamo.stop());
beforeEach(async () => {
  told.length = 0;
  server = await startCloudFront();
  edge = await startEdge({ now });
  const settings = providerSettingsSchema.parse({ kind: 'cloudfront', domain, distributionId: newId() });
  if (settings.kind !== 'cloudfront') throw new Error('not CloudFront');
  const client = new CloudFrontClient({
    ...{ endpoint: server.url, region: 'us-east-1', maxAttempts: 1 },
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  provider = new CloudFront(client, settings, new CircuitBreaker('it', now));
  store = new PurgeStore(dynamo.client, table, now);
  const items = new VersionedItems(dynamo.client, table, now);
  const client_ = new EdgeClient({ kind: 'cloudfront', domain, edgeUrl: edge.url });
  deps = {
    ...{ store, provider, now },
    queueOf: (target, capacity) => new QueueStore(items, target, capacity, now),
    ask: (request) => client_.get(request),
    hasTime: () => true,
    startWarming: () => Promise.reject(new Error('nothing is warmed')),
    warmingState: async () => undefined,
  };
});
afterEach(async () => {
  await server.stop();
  await edge.stop();
});

const teller = {
  announcer: {
    announce: async (_source: string, name: string) => {
      told.push(name);
    },
  },
  record: async ({ action }: { action: string }) => {
    told.push(action);
  },
  store: { save: (record: Parameters<PurgeStore['save']>[0]) => store.save(record) },
};

async function begin(body: Partial<PurgeBody>, id = newId(new Date(now()))): Promise<PurgeId> {
  const about = { id: idOf(id), requestedBy: 'key', traceparent, now: now() };
  const { record, items, rewarm } = await newPurge(provider, purgeBodySchema.parse(body), 'ignored', about);
  await store.create(record, items, { rewarm });
  return record.id;
}
const idOf = (text: string): PurgeId => purgeSchema.shape.id.parse(text);
const turn = (id: PurgeId) => runTurn(deps, teller, id);
const show = async (id: PurgeId) => {
  const record = await store.get(id);
  if (record === undefined) throw new Error('There is no such purge');
  return purgeSchema.parse(showPurge(record));
};

/** Does turn after turn as the workflow does; `between` is called instead of waiting. */
async function follow(id: PurgeId, between: () => void = () => {}): Promise<number> {
  for (let turns = 1; turns < 200; turns++) {
    const { outcome, waitSeconds } = await turn(id);
    if (outcome === 'ended') return turns;
    clock.now += waitSeconds * 1000;
    between();
  }
  throw new Error('It does not end');
}

describe('a purge', () => {
  it('is told once, followed until the last edge has it, and proved by a MISS where there was a HIT', async () => {
    const id = await begin({ paths: ['/b', '/a', '/a?x=1', '/blog/1'], prefixes: ['/blog/'], verify: true });
    expect(await turn(id)).toMatchObject({ outcome: 'again' });
    expect(server.purged).toEqual(['/blog/*', '/a', '/b']);
    expect(await show(id)).toMatchObject({
      state: 'running',
      progress: { calls: 2, submitted: 2, completed: 0 },
    });
    // A turn that is made again, because its answer was lost, changes nothing.
    await turn(id);
    expect(server.purged).toHaveLength(3);
    clock.now += 3_000;
    server.complete();
    edge.forget();
    await follow(id);
    const done = await show(id);
    expect(done).toMatchObject({
      ...{ state: 'completed', stage: 'ended', error: null },
      verification: { state: 'confirmed' },
      items: { paths: 2, prefixes: 1, tags: 0, everything: false },
    });
    expect(done.verification?.checks.map(({ before, after }) => `${before} ${after}`)).toEqual(
      Array(3).fill('hit miss'),
    );
    expect(told).toEqual(['purge.completed', 'purge.completed']);
    await turn(id);
    expect(told).toHaveLength(2);
  });

  it('fails when an edge goes on serving what it had, and does not believe the provider before that', async () => {
    const id = await begin({ tags: ['t'], verify: true, verifyPaths: ['/a', '/private/b'] });
    server.complete();
    await follow(id, () => server.complete());
    expect(await show(id)).toMatchObject({
      ...{ state: 'failed', error: { code: 'still-cached' }, verification: { state: 'refuted' } },
    });
    expect(told).toContain('purge.failed');
    // What was never in the cache proves nothing; younger content does.
    const other = await begin({ paths: ['/c', '/private/d'], verify: true });
    await turn(other);
    server.complete();
    edge.forget();
    clock.now += 10_000;
    edge.cached.set('/c ', clock.now);
    clock.now += 3_000;
    await follow(other);
    const { state, verification } = await show(other);
    expect({ state, verification: verification?.state }).toEqual({
      state: 'completed',
      verification: 'inconclusive',
    });
    expect(verification?.checks.map(({ outcome }) => outcome)).toEqual(['confirmed', 'inconclusive']);
  });

  it('waits behind others for the quota, and in the order in which they came', async () => {
    const many = (name: string, count: number) =>
      Array.from({ length: count }, (_, index) => `/${name}/${index}`);
    const large = await begin({ paths: many('large', 3_000) });
    clock.now += 10;
    const second = await begin({ paths: many('second', 1_500) });
    clock.now += 10;
    const small = await begin({ paths: ['/small'] });
    await turn(large);
    await turn(second);
    await turn(small);
    expect(await show(large)).toMatchObject({ progress: { calls: 3, submitted: 3 } });
    expect(await show(second)).toMatchObject({ state: 'queued', progress: { calls: 2, submitted: 0 } });
    expect(await show(small)).toMatchObject({ state: 'queued', progress: { submitted: 0 } });
    server.complete();
    clock.now += 5_000;
    await follow(large);
    // What came later does not overtake, although it would fit.
    await turn(second);
    expect(await show(second)).toMatchObject({ progress: { submitted: 2 } });
    await turn(small);
    expect(await show(small)).toMatchObject({ progress: { submitted: 1 } });
    expect(server.purged).toHaveLength(4_501);
    server.complete();
    await follow(second);
    await follow(small);
    expect(await show(small)).toMatchObject({ state: 'completed' });
  });

  it('is canceled while it waits, waits while the provider wants that, and fails when it is refused', async () => {
    const id = await begin({ everything: true });
    server.trouble.push('throttled');
    expect(await turn(id)).toMatchObject({ outcome: 'again', waitSeconds: 20 });
    const waiting = await store.get(id);
    if (waiting === undefined) throw new Error('it is gone');
    await store.save({ ...waiting, cancelRequested: true });
    expect(await turn(id)).toMatchObject({ outcome: 'ended' });
    expect(await show(id)).toMatchObject({ state: 'canceled', progress: { submitted: 0 } });
    expect(server.purged).toEqual([]);

    const refused = await begin({ paths: ['/a'] });
    server.trouble.push('refused');
    await turn(refused);
    expect(await show(refused)).toMatchObject({ state: 'failed', error: { code: 'provider-refused' } });

    const away = await begin({ paths: ['/a'] });
    server.trouble.push('down');
    await follow(away, () => {
      server.trouble.push('down');
      clock.now += 400_000;
    });
    expect(await show(away)).toMatchObject({ state: 'failed', error: { code: 'provider-unreachable' } });
    server.trouble.length = 0;
    clock.now += 60_000;

    const cut = await begin({ paths: ['/a'] });
    await turn(cut);
    await endInterrupted(deps, teller, cut, 'ABORTED');
    expect(await show(cut)).toMatchObject({ state: 'failed', error: { code: 'interrupted' } });
    expect(await endInterrupted(deps, teller, cut, 'ABORTED')).toBeUndefined();
  });

  it('says what is wrong with a request, and what the provider can do instead', async () => {
    const problem = (body: Partial<PurgeBody>) =>
      answerProvider(provider, () => begin(body)).then(
        () => 'begun',
        (error: { status: number; errors?: { field: string }[]; extensions?: object }) => ({
          status: error.status,
          fields: error.errors?.map(({ field }) => field),
          ...error.extensions,
        }),
      );
    expect(await problem({ paths: ['/a', 'b', '/c\r\nX: y'], tags: ['a b'] })).toEqual({
      ...{ status: 422, fields: ['body.paths.1', 'body.paths.2', 'body.tags.0'] },
    });
    expect(await problem({ prefixes: ['/a'], verify: true })).toMatchObject({ fields: ['body.verifyPaths'] });
    expect(await problem({ paths: ['/a'], soft: true })).toMatchObject({
      ...{ status: 409, fields: ['body.soft'], code: 'not-supported', provider: 'cloudfront' },
      supported: ['paths', 'prefixes', 'tags', 'everything', 'website'],
    });
    expect(await problem({ website: 'who.example.org' })).toMatchObject({
      status: 422,
      fields: ['body.website'],
    });
    await expect(answerProvider(undefined, async () => 1)).rejects.toMatchObject({
      ...{ status: 409, extensions: { code: 'no-provider' } },
    });
    for (const body of [{}, { paths: Array(3_001).fill('/a') }, { everything: true, more: 1 }]) {
      expect(purgeBodySchema.safeParse(body).success).toBe(false);
    }
  });
});

describe('changed content', () => {
  it('is one purge for all that changes within half a minute, however often it is told', async () => {
    const started: string[] = [];
    const startPurge = async (name: string) => {
      started.push(name);
    };
    const change = (key: string) => contentChanged({ store, provider, startPurge, now }, key, traceparent);
    clock.now = collectedAt(windowOf(clock.now)) + 1_000_000;
    const { purgeId } = await change('index.html');
    for (const key of ['a b.png', 'a b.png', 'x*y#z?.css', 'index.html', '/odd']) await change(key);
    expect(new Set(started)).toEqual(new Set([purgeId]));
    if (purgeId === null) throw new Error('nothing is purged');
    expect(await turn(purgeId)).toMatchObject({ outcome: 'again' });
    expect(server.purged).toEqual([]);
    await follow(purgeId, () => server.complete());
    expect(server.purged).toEqual(['/', '/a%20b.png', '/index.html', '/x%2Ay%23z%3F.css']);
    expect(await show(purgeId)).toMatchObject({ state: 'completed', trigger: 'content', requestedBy: null });
  });

  it('is its directories where it is too much, and everything where those are too many', () => {
    const paths = (count: number, directories: number) =>
      Array.from({ length: count }, (_, index) => `/d${index % directories}/${index}`);
    const any = { prefixes: 'any' as const };
    expect(itemsOfChanges(paths(3_001, 3), false, any)).toMatchObject({ prefixes: ['/d0/', '/d1/', '/d2/'] });
    expect(itemsOfChanges(paths(3_001, 16), false, any)).toMatchObject({ everything: true });
    expect(itemsOfChanges(paths(3_001, 1), false, { prefixes: 'none' })).toMatchObject({ everything: true });
    expect(itemsOfChanges(paths(3_000, 16), false, any).paths).toHaveLength(3_000);
    expect(pathsOfKey('ä/%41.png')).toEqual(['/%C3%A4/%2541.png']);
    expect(pathsOfKey('../x')).toEqual([]);
  });
});

describe('a queue', () => {
  it('gives no more than there is, to nobody who came later first, and in the end to everybody', () => {
    const capacity = { paths: 10, prefixes: 3 };
    const asking = fc.record({
      id: fc.constantFrom(...'abcdefgh'),
      priority: fc.constantFrom(0, 1),
      needs: fc.record({ paths: fc.integer({ min: 0, max: 10 }), prefixes: fc.integer({ min: 0, max: 3 }) }),
    });
    const used = (entries: readonly Entry[], name: string) =>
      entries.reduce((sum, { holds, needs }) => sum + (holds ? (needs[name] ?? 0) : 0), 0);
    fc.assert(
      fc.property(fc.array(fc.tuple(asking, fc.boolean()), { maxLength: 40 }), (steps) => {
        let entries: readonly Entry[] = [];
        for (const [one, leaves] of steps) {
          entries = leaves ? leave(entries, [one.id], 0) : ask(entries, one, capacity, 0, 1_000).entries;
          expect(used(entries, 'paths')).toBeLessThanOrEqual(10);
          expect(used(entries, 'prefixes')).toBeLessThanOrEqual(3);
        }
        // Whoever has a place leaves it: all the others come to theirs.
        for (let round = 0; round < 20 && entries.length > 0; round++) {
          entries = entries.filter(({ holds }) => !holds);
          for (const entry of entries) entries = ask(entries, entry, capacity, 0, 1_000).entries;
        }
        expect(entries).toEqual([]);
      }),
    );
  });

  it('lets who is more urgent go first, and forgets who is not heard of', () => {
    const one = (id: string, priority: number): Asking => ({ id, priority, needs: { jobs: 1 } });
    const capacity = { jobs: 1 };
    let { entries, holds } = ask([], one('a', 0), capacity, 0, 100);
    expect(holds).toBe(true);
    entries = ask(entries, one('b', 0), capacity, 0, 100).entries;
    entries = ask(entries, one('c', 1), capacity, 0, 100).entries;
    expect(isOvertaken(entries, one('a', 0), 0)).toBe(true);
    entries = leave(entries, ['a'], 0);
    expect(ask(entries, one('b', 0), capacity, 0, 100).holds).toBe(false);
    ({ entries, holds } = ask(entries, one('c', 1), capacity, 0, 100));
    expect(holds).toBe(true);
    expect(ask(entries, one('d', 0), capacity, 101, 100).holds).toBe(true);
    const many = Array.from({ length: 1_001 }, (_, index) => one(String(index), 0));
    const full = many.reduce(
      (before: readonly Entry[], each) => ask(before, each, capacity, 0, 100).entries,
      [],
    );
    expect(full).toHaveLength(1_000);
  });
});

describe('the URL of a file', () => {
  const version = { algorithm: 'etag', value: 'abc' } as const;
  const request = { path: '/media/a%20b.png', versioned: true, signed: false, expiresInSeconds: 60 };
  const base = () => ({
    ...{ provider, now, sign: undefined },
    versionOf: async (key: string) => (key === 'media/a b.png' ? version : undefined),
    originUrl: async (key: string) => `https://origin.example/${encodeURIComponent(key)}?X-Amz-Signature=s`,
    edgeUrl: (host: string) => `https://${host}`,
  });

  it('is the edge’s with a version, and signed so that CloudFront accepts it', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const sign = urlSigner('K1', async () => pem);
    const standing = standingOf(provider, now);
    const plain = await assetUrl(base(), standing, request);
    expect(plain.url).toMatch(/^https:\/\/www\.example\.com\/media\/a%20b\.png\?v=[0-9a-f]{16}$/);
    const { url, expiresAt } = await assetUrl({ ...base(), sign }, standing, { ...request, signed: true });
    expect(url).toMatch(/&Expires=\d+&Key-Pair-Id=K1&Signature=|&Signature=/);
    expect(expiresAt).toBe(new Date(clock.now + 60_000).toISOString());
    const broken = urlSigner('K1', async () => 'no key');
    await expect(broken('https://a', new Date())).rejects.toThrow('no private key');
    await expect(assetUrl(base(), standing, { ...request, path: '/none' })).rejects.toThrow('no such file');
    expect(server.requests.filter((one) => one.includes('/distribution/'))).toHaveLength(2);
  });

  it('is the origin’s where there is no edge, or none that answers', async () => {
    const none = await assetUrl({ ...base(), provider: undefined }, async () => undefined, request);
    expect(none).toMatchObject({ source: 'origin', reason: 'no-provider', signed: true });
    server.trouble.push('down', 'down');
    const away = await assetUrl(base(), standingOf(provider, now), request);
    expect(away).toMatchObject({
      source: 'origin',
      reason: 'unreachable',
      url: expect.stringContaining('origin'),
    });
    expect(new ProviderUnreachableError('x').name).toBe('ProviderUnreachableError');
  });
});
