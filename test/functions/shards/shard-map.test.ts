import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MapStore, mapCacheMs } from '../../../functions/shards/map/map-store.ts';
import {
  evenly,
  type ShardMap,
  shardMapSchema,
  shardOfSlot,
  slotOf,
} from '../../../functions/shards/map/shard-map.ts';
import { route } from '../../../functions/shards/route.ts';
import type { Sharding } from '../../../functions/shards/sharding.ts';
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
});

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
