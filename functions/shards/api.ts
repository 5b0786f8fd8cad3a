import { gate } from '../access/gate.ts';
import { dynamo, lambda } from '../shared/clients.ts';
import { httpFunction } from '../shared/http-function.ts';
import type { HttpHandlers } from '../shared/http-handler.ts';
import { invoke } from '../shared/invoke.ts';
import { Problem } from '../shared/problem.ts';
import { ShardReader } from '../shared/shards.ts';
import { shardsContract } from './contract.ts';
import { sqlHashFunctions } from './hash/keys.ts';
import { healthResultSchema } from './health/events.ts';
import { HealthStore } from './health/health-store.ts';
import { HealthReports } from './health/report.ts';
import { askInsights } from './insights/ask-insights.ts';
import { MapStore } from './map/map-store.ts';
import type { ShardMap } from './map/shard-map.ts';
import { Places } from './places.ts';
import { route } from './route.ts';

/** What starting the function inside the network may take beside its own work, in milliseconds. */
const startMs = 5_000;

/** Where keys live, and how the shards stand. */
export const handler = httpFunction({
  contract: shardsContract,
  functionContract: shardsContract.functions.api,
  gate,
  handlers: ({
    SHARDS_TABLE,
    SHARDING: sharding,
    HEALTH_FUNCTION_ARN,
    HEALTH_TIMEOUT_MS,
    INSIGHTS_FUNCTION_ARN,
  }): HttpHandlers<typeof shardsContract> => {
    const maps = new MapStore(dynamo(), SHARDS_TABLE);
    const places = new Places(dynamo(), SHARDS_TABLE, new ShardReader(dynamo(), SHARDS_TABLE));
    const records = new HealthStore(dynamo(), SHARDS_TABLE);
    const reports = new HealthReports({
      look: async () => {
        const within = HEALTH_TIMEOUT_MS + startMs;
        const { shards } = await invoke(lambda(), HEALTH_FUNCTION_ARN, {}, healthResultSchema, within);
        return shards;
      },
      recorded: () => records.list(),
      now: () => performance.now(),
    });
    return {
      health: async ({ query, log }) => ({ status: 200, body: await reports.report(query, log) }),
      insights: async ({ query }) => ({
        status: 200,
        body: await askInsights(query, lambda(), INSIGHTS_FUNCTION_ARN),
      }),
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
