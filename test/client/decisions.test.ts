import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { choose, type Instance } from '../../client/instances/choose.ts';
import { LagClock } from '../../client/instances/lag-clock.ts';
import { Directory } from '../../client/map/directory.ts';
import { viewOf } from '../../client/map/view.ts';
import { logPosition, positionOf, positionText } from '../../client/sessions/position.ts';
import { ShardClient } from '../../client/shard-client.ts';
import { routeSchema, shardsContract } from '../../functions/shards/contract.ts';
import { route } from '../../functions/shards/route.ts';
import type { Sharding } from '../../functions/shards/sharding.ts';
import { waitFor } from '../support/wait-for.ts';
import { type FakeShard, MapApi, viewAnswer } from './support/map-api.ts';

const at = (shard: string, change: Partial<FakeShard> = {}): FakeShard => ({
  ...{ shard, shardEpoch: 1, writer: { host: `${shard}.example.com`, port: 5432 }, readers: [] },
  ...change,
});
const instance = (host: string, seen?: Partial<NonNullable<Instance['seen']>>): Instance => ({
  address: { host, port: 5432 },
  ...(seen !== undefined && {
    seen: { at: 0, replica: true, readOnly: false, aurora: false, latencyMs: 1, lagSeconds: 0, ...seen },
  }),
});
const hosts = (addresses: { host: string }[]) => addresses.map(({ host }) => host);

describe('the choice of an instance to read from', () => {
  const writer = instance('writer', { replica: false, latencyMs: 2 });
  const choice = { maxLagSeconds: 5, freshMs: 1_000, now: 500, turn: 0 };

  it('spreads reads over all readers within the lag limit, and takes no other', () => {
    const readers = [
      instance('a', {}),
      instance('b', { lagSeconds: 5 }),
      instance('late', { lagSeconds: 5.1 }),
      instance('unknown'),
      instance('old', { at: -501 }),
      instance('promoted', { replica: false }),
    ];
    const firsts = [0, 1, 2, 3].map((turn) =>
      hosts(choose(writer, readers, { ...choice, preference: 'secondaryPreferred', turn })),
    );
    expect(firsts).toEqual([
      ['a', 'b'],
      ['b', 'a'],
      ['a', 'b'],
      ['b', 'a'],
    ]);
    expect(choose(writer, readers, { ...choice, preference: 'primary' })).toEqual([]);
  });

  it('takes what is nearest, the writer among them, and those in turn that are about as near', () => {
    const readers = [instance('near', { latencyMs: 10 }), instance('far', { latencyMs: 40 })];
    const of = (turn: number) => hosts(choose(writer, readers, { ...choice, preference: 'nearest', turn }));
    expect([of(0), of(1)]).toEqual([
      ['writer', 'near', 'far'],
      ['near', 'writer', 'far'],
    ]);
  });

  it('tries those first that are known to have what is asked for', () => {
    const readers = [instance('behind', { position: 9n }), instance('has', { position: 10n })];
    expect(
      hosts(choose(writer, readers, { ...choice, preference: 'secondaryPreferred', position: 10n })),
    ).toEqual(['has', 'behind']);
  });
});

describe('the lag of a reader', () => {
  it('is never less than it was, and by one look more at most', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 0, max: 9 })), {
      minLength: 1,
      maxLength: 600,
    });
    fc.assert(
      fc.property(steps, fc.double({ min: 0, max: 1, noNaN: true }), (looks, part) => {
        const clock = new LagClock();
        let [now, position] = [0, 0n];
        const written: { at: number; position: bigint }[] = [];
        for (const [passed, bytes] of looks) {
          now += passed;
          position += BigInt(bytes);
          clock.record(now, position);
          written.push({ at: now, position });
        }
        const has = BigInt(Math.floor(Number(position) * part));
        const missing = written.find((each) => each.position > has);
        const lag = clock.lagSeconds(has, now);
        if (missing === undefined) expect(lag).toBe(0);
        else if (lag !== undefined) expect(lag).toBeGreaterThanOrEqual((now - missing.at) / 1000);
      }),
    );
  });
});

describe('a position', () => {
  it('is the same after it was text, and is refused where it is none', () => {
    const position = { shard: 'shard-a', epoch: 3, log: logPosition('16/B3748000') };
    expect(positionOf(positionText(position))).toEqual(position);
    expect(logPosition('90683')).toBe(90_683n);
    for (const text of ['', 'shard-a:3', 'shard-a:3:xyz', `shard-a:${'9'.repeat(40)}:1`, "a';--:1:1"]) {
      expect(() => positionOf(text)).toThrow(expect.objectContaining({ code: 'invalid-position' }));
    }
  });
});

describe('a directory', () => {
  const directory = new Directory(viewOf(viewAnswer([at('shard-a'), at('shard-b')])));

  it('leads a key where the API leads it', async () => {
    const sharding: Sharding = {
      entities: directory.view.entities.map((entity) => ({ ...entity, tables: [] })),
      pins: [{ tenant: 'large', shard: 'shard-a' }],
      readPreference: 'nearest',
      writeDurability: 'majority',
    };
    const pinned = new Directory({ ...directory.view, pins: sharding.pins });
    const map = { ...directory.view.map, changedAt: '2026-01-01T00:00:00.000Z', reason: '' };
    const places = {
      find: async (shard: string) => ({
        ...{ shard, database: 'platform', shardEpoch: 1, readers: [] },
        writer: { host: '', port: 1 },
      }),
    };
    const keys = fc.oneof(
      fc.record({ kind: fc.constant('user'), key: fc.uuid() }),
      fc.record({ kind: fc.constant('content'), key: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(String) }),
      fc.record({
        kind: fc.constant('page'),
        key: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(keys, fc.constantFrom(undefined, 'large'), async ({ kind, key }, tenant) => {
        fc.pre(!key.includes('\0'));
        const answer = routeSchema.parse(await route({ key, kind, tenant }, { map, sharding, places }));
        const own = pinned.route(key, { kind, tenant });
        expect({ ...own, hash: String(own.hash) }).toMatchObject({
          ...{ shard: answer.shard, slot: answer.slot, hash: answer.hash, pinned: answer.pinned },
        });
      }),
    );
    expect(directory.route(42, { kind: 'content' })).toEqual(directory.route(42n, { kind: 'content' }));
    expect(directory.route(Buffer.from('00ff', 'hex'), { kind: 'blob' })).toEqual(
      directory.route('00ff', { kind: 'blob' }),
    );
  });

  it.each([
    ['content', ''],
    ['content', '01'],
    ['content', '1e3'],
    ['content', 1.5],
    ['content', 2 ** 53 * 2 ** 10],
    ['content', "1'; DROP TABLE users; --"],
    ['content', Buffer.from([1])],
    ['page', ''],
    ['page', 'a\0b'],
    ['page', '\ud800'],
    ['page', 'x'.repeat(10_000_000)],
    ['page', Buffer.from([0xff, 0xfe])],
    ['user', '00000000000000000000000000000000'],
  ])('has no place for what is no key: %s %#', (kind, key) => {
    const error = (() => {
      try {
        return directory.route(key, { kind });
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toMatchObject({ code: 'invalid-key', retryable: false });
    expect(String(error).length).toBeLessThan(200);
  });

  it('takes text for what it is, whatever SQL is in it', () => {
    expect(directory.route("'; DROP TABLE users; --", { kind: 'page' }).slot).toBeGreaterThanOrEqual(0);
    expect(() => directory.route('1', { kind: 'nothing' })).toThrow(
      expect.objectContaining({ code: 'unknown-kind' }),
    );
  });

  it.each([
    [
      'a slot twice',
      {
        shards: [at('a'), at('b')].map((each) => ({
          ...each,
          database: 'p',
          ranges: [{ first: 0, last: 4095 }],
        })),
      },
    ],
    ['a slot nowhere', { slots: 8192 }],
    ['no entity', { entities: [] }],
  ])('is not made of a map with %s', (_what, change) => {
    expect(() => viewOf(viewAnswer([at('shard-a')], change))).toThrow();
  });

  it('is made of what the API promises', () => {
    const answer = viewAnswer([at('shard-a')]);
    const { schema } = shardsContract.routes.sharding.responses[200];
    const names = Object.keys(schema.shape);
    for (const name of Object.keys(answer)) expect(names).toContain(name);
  });
});

describe('the map of a client', () => {
  const running: { stop(): void }[] = [];
  const clients: ShardClient[] = [];
  const start = async (answer: unknown, change: object = {}) => {
    const api = await MapApi.start(answer);
    const login = { user: 'service', password: 'secret', apiKey: 'the key' };
    const client = new ShardClient({ api: api.url, ...login, refreshMs: 100, ...change });
    running.push(api);
    clients.push(client);
    return { api, client };
  };
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
    for (const api of running.splice(0)) api.stop();
  });

  it('follows what the API says, but never back to an older epoch', async () => {
    const { api, client } = await start(viewAnswer([at('shard-a', { shardEpoch: 2 })], { mapEpoch: 5 }));
    await client.start();
    api.answer = viewAnswer([at('shard-a', { shardEpoch: 3 })], { mapEpoch: 6 });
    await waitFor(() => client.status().mapEpoch === 6, { what: 'the new map' });
    expect(client.route('1', 'content').shardEpoch).toBe(3);
    api.answer = viewAnswer([at('shard-a', { shardEpoch: 2 }), at('shard-b')], { mapEpoch: 5 });
    const { requests } = api;
    await waitFor(() => api.requests > requests + 1, { what: 'two answers' });
    expect(client.route('1', 'content')).toMatchObject({ mapEpoch: 6, shardEpoch: 3 });
  });

  it('is used on while the API does not answer, for as long as that is allowed', async () => {
    const { api, client } = await start(viewAnswer([at('shard-a')]), { maxMapAgeMs: 1_000 });
    await client.start();
    api.status = 500;
    expect(client.route('1', 'content').shard).toBe('shard-a');
    await waitFor(
      () => {
        try {
          client.route('1', 'content');
          return false;
        } catch (error) {
          return error;
        }
      },
      { what: 'the map to be too old' },
    ).then((error) => expect(error).toMatchObject({ code: 'map-unavailable', retryable: true }));
    api.status = 200;
    await waitFor(() => client.refresh().then(() => client.status().mapAgeMs < 1_000), { what: 'the API' });
    expect(client.route('1', 'content').shard).toBe('shard-a');
  });

  it('is asked for a few times and no more before a start has failed, and no secret is told', async () => {
    const { api, client } = await start({ no: 'map' });
    const error = await client.start().catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'map-unavailable' });
    expect(api.requests).toBe(5);
    expect(JSON.stringify([error.message, String(error.cause)])).not.toMatch(/secret|the key/);
    expect(() => new ShardClient({ api: 'http://x.example', apiKey: 'k', user: 'u', password: 'p' })).toThrow(
      'api: has to be https',
    );
  });
});
