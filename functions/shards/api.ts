import { gate } from '../access/gate.ts';
import { dynamo } from '../shared/clients.ts';
import { httpFunction } from '../shared/http-function.ts';
import type { HttpHandlers } from '../shared/http-handler.ts';
import { Problem } from '../shared/problem.ts';
import { ShardReader } from '../shared/shards.ts';
import { shardsContract } from './contract.ts';
import { sqlHashFunctions } from './hash/keys.ts';
import { MapStore } from './map/map-store.ts';
import type { ShardMap } from './map/shard-map.ts';
import { Places } from './places.ts';
import { route } from './route.ts';

/** Where keys live: `GET /api/database/route` and `GET /api/database/sharding`. */
export const handler = httpFunction({
  contract: shardsContract,
  functionContract: shardsContract.functions.api,
  gate,
  handlers: ({ SHARDS_TABLE, SHARDING: sharding }): HttpHandlers<typeof shardsContract> => {
    const maps = new MapStore(dynamo(), SHARDS_TABLE);
    const places = new Places(dynamo(), SHARDS_TABLE, new ShardReader(dynamo(), SHARDS_TABLE));
    return {
      route: async ({ query }) => ({
        status: 200,
        body: await route(query, { map: await required(maps), sharding, places }),
      }),
      sharding: async () => {
        const [map, known] = await Promise.all([required(maps), places.list()]);
        const { entities, ...settings } = sharding;
        return {
          status: 200,
          body: {
            strategy: 'hash',
            slots: map.slots,
            mapEpoch: map.epoch,
            changedAt: map.changedAt,
            ...settings,
            entities: entities.map((entity) => ({ ...entity, sqlHash: sqlHashFunctions[entity.keyType] })),
            shards: known.map((place) => ({
              ...place,
              readers: [...place.readers],
              ...slotsOf(map, place.shard),
            })),
          },
        };
      },
    };
  },
});

async function required(maps: MapStore): Promise<ShardMap> {
  const map = await maps.read();
  if (map === undefined) {
    throw new Problem('not-available', 'There is no shard map yet: the deployment has not been prepared.');
  }
  return map;
}

function slotsOf({ ranges }: ShardMap, shard: string) {
  const own = ranges.filter((range) => range.shard === shard);
  return {
    slots: own.reduce((sum, { first, last }) => sum + last - first + 1, 0),
    ranges: own.map(({ first, last }) => ({ first, last })),
  };
}
