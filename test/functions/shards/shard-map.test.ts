import { DeleteCommand, type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { shardingViewSchema } from '../../../functions/shards/contract.ts';
import type { ShardHealth } from '../../../functions/shards/health/model.ts';
import { changeMap, type MapChange } from '../../../functions/shards/map/change-map.ts';
import { MapStore, mapCacheMs } from '../../../functions/shards/map/map-store.ts';
import {
  evenly,
  rangesAfter,
  type ShardMap,
  shardMapSchema,
  shardOfSlot,
  slotOf,
} from '../../../functions/shards/map/shard-map.ts';
import { route } from '../../../functions/shards/route.ts';
import type { Sharding } from '../../../functions/shards/sharding.ts';
import { shardingView } from '../../../functions/shards/sharding-view.ts';
import { startDynamo, type TestDynamo } from '../shared/dynamodb.ts';

const at = '2026-01-01T00:00:00.000Z';
const mapOf = (slots: number, shards: string[]): ShardMap => ({
  ...{ epoch: 1, slots, changedAt: at, reason: 'test' },
  ranges: evenly(slots, shards),
});
const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 16 });

describe('the first shard map', () => {
  it('has each slot once, and as many on each shard but for one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 16 }), names, (power, shards) => {
        const map = shardMapSchema.parse(mapOf(2 ** power, shards));
        const counts = map.ranges.map(({ first, last }) => last - first + 1);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        expect(new Set(map.ranges.map(({ shard }) => shard))).toEqual(new Set(shards));
      }),
    );
  });

  it('leads each slot to the shard whose range has it, and knows no other', () => {
    const map = mapOf(64, ['a', 'b', 'c']);
    for (const { first, last, shard } of map.ranges) {
      for (let slot = first; slot <= last; slot += 1) expect(shardOfSlot(map, slot)).toBe(shard);
    }
    expect(() => shardOfSlot(map, 64)).toThrow(RangeError);
  });

  it('takes a slot from the low bits of a hash, also of a negative one', () => {
    expect(slotOf(-1n, 4096)).toBe(4095);
    expect(slotOf(-(2n ** 63n), 4096)).toBe(0);
    expect(slotOf(4097n, 4096)).toBe(1);
  });

  it.each([
    [{ ranges: [{ first: 0, last: 14, shard: 'a' }] }, 'a slot too few'],
    [{ ranges: [{ first: 1, last: 15, shard: 'a' }] }, 'a gap'],
    [
      {
        ranges: [
          { first: 0, last: 9, shard: 'a' },
          { first: 9, last: 15, shard: 'b' },
        ],
      },
      'a slot twice',
    ],
    [{ slots: 24, ranges: evenly(24, ['a']) }, 'slots that are no power of two'],
  ])('is refused with %j: %s', (change: Partial<ShardMap>, _why: string) => {
    expect(shardMapSchema.safeParse({ ...mapOf(16, ['a']), ...change }).success).toBe(false);
  });
});

describe('the table of shards', () => {
  let dynamo: TestDynamo;
  beforeAll(async () => {
    dynamo = await startDynamo('shards');
  });
  afterAll(() => dynamo.stop());

  it('takes the first map once, whatever a later deployment lists', async () => {
    let now = 0;
    const store = new MapStore(dynamo.client, 'shards', () => now);
    expect(await store.read()).toBeUndefined();
    expect(await store.create(mapOf(16, ['a', 'b']))).toBe(true);
    expect(await store.create(mapOf(16, ['a', 'b', 'c']))).toBe(false);
    now = mapCacheMs + 1;
    expect(await store.read()).toEqual(mapOf(16, ['a', 'b']));
  });

  it('takes one of several first maps, and has it in the history, in whatever order they are written and whoever dies', async () => {
    const keys = ['CURRENT', 'EPOCH#0000000001'].map((sk) => ({ pk: 'MAP', sk }));
    const item = async (Key: object) =>
      (await dynamo.client.send(new GetCommand({ TableName: 'shards', Key }))).Item;
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.option(fc.integer({ min: 0, max: 2 }), { nil: 9 }), { minLength: 1, maxLength: 5 }),
        async (scheduler, dyingAfter) => {
          for (const Key of keys) {
            await dynamo.client.send(new DeleteCommand({ TableName: 'shards', Key }));
          }
          const writers = dyingAfter.map((sends, index) => {
            const store = new MapStore(mortal(dynamo.client, sends, scheduler), 'shards');
            return store.create(mapOf(16, [`shard-${index}`, 'other'])).catch(() => false);
          });
          await scheduler.waitFor(Promise.all(writers));
          // A deployment that failed is deployed again.
          const last = await new MapStore(dynamo.client, 'shards').create(mapOf(16, ['last']));
          const [holding, version] = await Promise.all(keys.map(item));
          expect({ ...holding, sk: '' }).toEqual({ ...version, sk: '' });
          expect(shardMapSchema.parse(holding)).toMatchObject({ epoch: 1 });
          const took = (await Promise.all(writers)).filter((each) => each).length + (last ? 1 : 0);
          expect(took).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('a change of the map', () => {
  let dynamo: TestDynamo;
  beforeAll(async () => {
    dynamo = await startDynamo('shards');
  });
  afterAll(() => dynamo.stop());
  const shards = ['shard-a', 'shard-b', 'shard-c'];
  const change = (epoch: number, moves: MapChange['moves'], store = new MapStore(dynamo.client, 'shards')) =>
    changeMap({ epoch, moves, reason: 'test' }, { maps: store, shards, now: () => new Date(at) });
  const itemAt = async (sk: string) =>
    (await dynamo.client.send(new GetCommand({ TableName: 'shards', Key: { pk: 'MAP', sk } }))).Item;
  const move = (first: number, last: number, from: string, to: string) => ({
    slots: [{ first, last }],
    from,
    to,
  });

  it('moves what is asked for and nothing else', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(31), fc.nat(31), fc.constantFrom(...shards)), { maxLength: 6 }),
        (drawn) => {
          const map = mapOf(32, shards);
          const places = Array.from({ length: 32 }, (_, slot) => shardOfSlot(map, slot));
          const moved = drawn.map(([a, b, shard]) => ({
            first: Math.min(a, b),
            last: Math.max(a, b),
            shard,
          }));
          for (const { first, last, shard } of moved) places.fill(shard, first, last + 1);
          const ranges = rangesAfter(map, moved);
          expect(shardMapSchema.parse({ ...map, ranges }).ranges).toEqual(ranges);
          expect(places.map((_, slot) => shardOfSlot({ ranges }, slot))).toEqual(places);
          expect(ranges.some(({ shard }, index) => shard === ranges[index - 1]?.shard)).toBe(false);
        },
      ),
    );
  });

  it('holds for one of those who change the same map, whoever dies; every map is in the history', async () => {
    await new MapStore(dynamo.client, 'shards').create(mapOf(16, ['shard-a', 'shard-b']));
    const deaths = fc.array(fc.option(fc.integer({ min: 0, max: 4 }), { nil: 9 }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), deaths, async (scheduler, dyingAfter) => {
        const before = shardMapSchema.parse(await itemAt('CURRENT'));
        const { epoch } = before;
        const from = shardOfSlot(before, 0);
        const racing = dyingAfter.map((sends, index) => {
          const store = new MapStore(mortal(dynamo.client, sends, scheduler), 'shards');
          const [to = ''] = shards.filter((shard) => shard !== from).slice(index % 2);
          return change(epoch, [move(0, index, from, to)], store).then(
            ({ mapEpoch }) => mapEpoch,
            () => undefined,
          );
        });
        await scheduler.waitFor(Promise.all(racing));
        const took = (await Promise.all(racing)).filter((each) => each !== undefined);
        expect(took.length).toBeLessThanOrEqual(1);
        // Somebody looks again and does what is left, or finishes what one has begun who died.
        const store = new MapStore(dynamo.client, 'shards');
        const lies = (await store.readNow()) ?? before;
        await change(lies.epoch, [
          move(15, 15, shardOfSlot(lies, 15), otherThan(shardOfSlot(lies, 15))),
        ]).catch(() => {});
        const after = shardMapSchema.parse(await itemAt('CURRENT'));
        expect(after.epoch).toBeGreaterThan(epoch);
        expect(after.epoch).toBeLessThanOrEqual(epoch + 2);
        for (let each = 1; each <= after.epoch; each += 1) {
          const version = shardMapSchema.parse(await itemAt(`EPOCH#${String(each).padStart(10, '0')}`));
          expect(version.epoch).toBe(each);
          if (each === after.epoch) expect(version).toEqual(after);
        }
        if (took.length > 0) expect(took).toEqual([epoch + 1]);
        // All of it in range of slots that the next run begins with.
        await change(after.epoch, evenedOut(after)).catch(() => {});
      }),
      { numRuns: 20 },
    );
  });

  it('is refused by its field where the map cannot have it, and changes nothing', async () => {
    await new MapStore(dynamo.client, 'shards').create(mapOf(16, ['shard-a', 'shard-b']));
    const { epoch } = shardMapSchema.parse(await itemAt('CURRENT'));
    const map = shardMapSchema.parse(await itemAt('CURRENT'));
    const [from, last] = [shardOfSlot(map, 0), shardOfSlot(map, 15)];
    const fieldOf = (moves: MapChange['moves']) =>
      change(epoch, moves).then(
        () => 'none',
        (error) => error.errors?.[0]?.field,
      );
    expect(await fieldOf([move(0, 0, from, 'nobody')])).toBe('body.moves.0.to');
    expect(await fieldOf([move(0, 0, from, from)])).toBe('body.moves.0.to');
    expect(await fieldOf([move(15, 16, last, otherThan(last))])).toBe('body.moves.0.slots');
    expect(await fieldOf([move(0, 0, from, otherThan(from)), move(0, 0, from, otherThan(from))])).toBe(
      'body.moves.1.slots',
    );
    expect(await fieldOf([move(0, 0, otherThan(from), from)])).toBe('body.moves.0.from');
    await expect(change(epoch - 1, [move(0, 0, from, otherThan(from))])).rejects.toMatchObject({
      kind: 'conflict',
    });
    expect(await itemAt('CURRENT')).toMatchObject({ epoch });
  });

  const otherThan = (shard: string) => shards.find((each) => each !== shard) ?? '';
  /** What brings all slots to one shard. */
  const evenedOut = ({ ranges }: ShardMap): MapChange['moves'] =>
    ranges
      .filter(({ shard }) => shard !== 'shard-a')
      .map(({ first, last, shard }) => move(first, last, shard, 'shard-a'));
});

/** A client whose requests come to pass when the scheduler wants it, and which dies after so many. */
function mortal(
  client: DynamoDBDocumentClient,
  sends: number,
  scheduler: fc.Scheduler,
): DynamoDBDocumentClient {
  let left = sends;
  return Object.assign(Object.create(client), {
    send: async (command: GetCommand) => {
      left -= 1;
      if (left < 0) throw new Error('killed');
      await scheduler.schedule(Promise.resolve());
      return client.send(command);
    },
  });
}

describe('a route', () => {
  const sharding: Sharding = {
    entities: [
      { kind: 'user', keyType: 'uuid', tables: [] },
      { kind: 'content', keyType: 'int8', tables: [] },
    ],
    pins: [{ tenant: 'large', shard: 'b' }],
    readPreference: 'secondaryPreferred',
    writeDurability: 'majority',
  };
  const find = async (shard: string) => ({
    ...{ shard, database: 'platform', shardEpoch: 3, readers: [] },
    writer: { host: `${shard}.example.com`, port: 5432 },
  });
  const to = (request: Parameters<typeof route>[0]) =>
    route(request, { map: mapOf(4096, ['a', 'b']), sharding, places: { find } });

  it('leads a key by its slot to the writer of its shard', async () => {
    expect(await to({ kind: 'content', key: '42' })).toMatchObject({
      ...{ hash: '8010225493015854792', slot: 3784, shard: 'b', shardEpoch: 3, mapEpoch: 1 },
      ...{ keyType: 'int8', pinned: false, writer: { host: 'b.example.com', port: 5432 } },
    });
  });

  it('is to the shard that a tenant is pinned to, whatever the slot', async () => {
    const key = '00000000-0000-0000-0000-000000000000';
    const free = await to({ key });
    expect(free.kind).toBe('user');
    for (const slotted of [free, await to({ key, tenant: 'small' })]) expect(slotted.pinned).toBe(false);
    expect(await to({ key, tenant: 'large' })).toMatchObject({ slot: free.slot, shard: 'b', pinned: true });
  });

  it.each([
    [{ kind: 'nothing', key: '1' }, 'query.kind'],
    [{ kind: 'content', key: 'x' }, 'query.key'],
    [{ key: 'x' }, 'query.key'],
  ])('is refused for %j by the field %s', async (request, field) => {
    await expect(to(request)).rejects.toMatchObject({ status: 422, errors: [{ field }] });
  });
});

function shardHealthOf(shard: string, reader: { instance: string; host: string; port: number }): ShardHealth {
  const load = {
    connections: { used: 1, usable: 100, active: 1, idleInTransaction: 0 },
    longTransactions: { count: 0, oldestSeconds: 0 },
    blockedQueries: { count: 0, longestSeconds: 0 },
    ...{ cacheHitRatio: 1, databaseSizeBytes: 4096, wraparound: { ageTransactions: 1, usedShare: 0 } },
  };
  const found = { reachable: true, connectMs: 1, queryMs: 1, lag: null, load };
  const writer = { instance: null, host: 'w', port: 1, expectedRole: 'writer', role: 'writer' } as const;
  const lag = { bytes: 12, seconds: 0.5, streaming: true };
  const { instance, host, port } = reader;
  return {
    ...{ shard, state: 'healthy', reasons: [], at, tookMs: 1 },
    writer: { ...found, ...writer },
    readers: [
      {
        ...{ instance, host, port, expectedRole: 'reader', role: 'reader', ...found, lag },
        load: { ...load, databaseSizeBytes: 4000 },
      },
    ],
  };
}

describe('the view of the shard map', () => {
  const sharding: Sharding = {
    entities: [{ kind: 'user', keyType: 'uuid', tables: [] }],
    ...{ pins: [], readPreference: 'secondaryPreferred', writeDurability: 'majority' },
  };
  const reader = { instance: 'a-2', host: 'a-2.example.com', port: 5432, status: 'available' };
  const place = (shard: string, readers: (typeof reader)[]) => ({
    ...{ shard, database: 'platform', shardEpoch: 1, readers },
    writer: { host: `${shard}.example.com`, port: 5432 },
  });

  it('has the sizes and the lag that were measured last, with their time, and nothing where nobody has measured', () => {
    const health = shardHealthOf('a', reader);
    const view = shardingView({
      ...{ map: mapOf(16, ['a', 'b']), sharding, health: [health] },
      places: [place('a', [reader, { ...reader, instance: 'a-3', port: 5433 }]), place('b', [])],
    });
    expect(shardingViewSchema.parse(view)).toEqual(view);
    expect(view.entities).toMatchObject([{ kind: 'user', sqlHash: 'uuid_hash_extended' }]);
    expect(view.shards).toMatchObject([
      {
        ...{ shard: 'a', slots: 8, ranges: [{ first: 0, last: 7 }] },
        ...{ measuredAt: health.at, sizeBytes: health.writer.load?.databaseSizeBytes },
        readers: [
          { instance: 'a-2', reachable: true, lagBytes: 12, lagSeconds: 0.5 },
          { instance: 'a-3', reachable: null, lagBytes: null, lagSeconds: null },
        ],
      },
      { shard: 'b', slots: 8, measuredAt: null, sizeBytes: null, readers: [] },
    ]);
  });

  it('has the size by a reader’s account where the writer does not answer', () => {
    const health = shardHealthOf('a', reader);
    const view = shardingView({
      ...{ map: mapOf(16, ['a']), sharding, places: [place('a', [reader])] },
      health: [{ ...health, writer: { ...health.writer, reachable: false, load: null } }],
    });
    expect(view.shards[0]?.sizeBytes).toBe(health.readers[0]?.load?.databaseSizeBytes);
  });
});
