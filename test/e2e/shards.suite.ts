import { beforeAll, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { routeSchema } from '../../functions/shards/contract.ts';
import { type ApiClient, apiClient } from './support/api.ts';
import { onShard } from './support/databases.ts';
import type { LocalJson } from './support/local-platform.ts';
import { sharedPlatform } from './support/shared-platform.ts';

describe('the shard map', () => {
  let local: LocalJson;
  let call: ApiClient;
  beforeAll(async () => {
    local = await sharedPlatform();
    call = apiClient(local);
  });

  it('leads a key where PostgreSQL’s own hash leads it', async () => {
    const key = crypto.randomUUID();
    const { status, body } = await call('GET', `/api/database/route?kind=user&key=${key}`);
    expect(status).toBe(200);
    const route = routeSchema.parse(body);
    const { rows } = await onShard(local, route.shard, (client) =>
      client.query(
        'SELECT uuid_hash_extended($1, 0)::text AS hash, (uuid_hash_extended($1, 0) & 4095)::int AS slot',
        [key],
      ),
    );
    expect(rows).toEqual([{ hash: route.hash, slot: route.slot }]);
    const { body: sharding } = await call('GET', '/api/database/sharding');
    const owner = z
      .object({
        shards: z.array(
          z.object({
            shard: z.string(),
            ranges: z.array(z.object({ first: z.number(), last: z.number() })),
          }),
        ),
      })
      .parse(sharding)
      .shards.filter(({ ranges }) =>
        ranges.some(({ first, last }) => first <= route.slot && route.slot <= last),
      );
    expect(owner.map(({ shard }) => shard)).toEqual([route.shard]);
  });

  it('refuses a key that is none, by its field', async () => {
    const { status, body } = await call('GET', '/api/database/route?kind=user&key=nobody');
    expect(status).toBe(422);
    expect(body).toMatchObject({ errors: [{ field: 'query.key' }] });
  });
});
