import type * as z from 'zod';
import type { shardingViewSchema } from './contract.ts';
import { sqlHashFunctions } from './hash/keys.ts';
import type { InstanceHealth, ShardHealth } from './health/model.ts';
import type { ShardMap } from './map/shard-map.ts';
import type { Place } from './places.ts';
import type { Sharding } from './sharding.ts';

export type ShardingView = z.output<typeof shardingViewSchema>;

export interface ShardingFacts {
  readonly map: ShardMap;
  readonly sharding: Sharding;
  readonly places: readonly Place[];
  /** How shards stood when they were last looked at. */
  readonly health: readonly ShardHealth[];
}

/** All of the shard map, with what was last measured of each shard. */
export function shardingView({ map, sharding, places, health }: ShardingFacts): ShardingView {
  const { entities, ...settings } = sharding;
  return {
    strategy: 'hash',
    slots: map.slots,
    mapEpoch: map.epoch,
    changedAt: map.changedAt,
    ...settings,
    entities: entities.map((entity) => ({ ...entity, sqlHash: sqlHashFunctions[entity.keyType] })),
    shards: places.map((place) => {
      const looked = health.find(({ shard }) => shard === place.shard);
      return {
        ...place,
        ...slotsOf(map, place.shard),
        measuredAt: looked?.at ?? null,
        sizeBytes: sizeOf(looked),
        readers: place.readers.map((reader) => ({ ...reader, ...measured(reader, looked) })),
      };
    }),
  };
}

function slotsOf({ ranges }: ShardMap, shard: string) {
  const own = ranges.filter((range) => range.shard === shard);
  return {
    slots: own.reduce((sum, { first, last }) => sum + last - first + 1, 0),
    ranges: own.map(({ first, last }) => ({ first, last })),
  };
}

/** As large as it is by the account of the writer or, where that did not answer, of a reader. */
function sizeOf(looked: ShardHealth | undefined): number | null {
  const found = looked === undefined ? [] : [looked.writer, ...looked.readers];
  return found.find(({ load }) => load !== null)?.load?.databaseSizeBytes ?? null;
}

function measured({ host, port }: Pick<InstanceHealth, 'host' | 'port'>, looked: ShardHealth | undefined) {
  const found = looked?.readers.find((each) => each.host === host && each.port === port);
  return {
    reachable: found?.reachable ?? null,
    lagBytes: found?.lag?.bytes ?? null,
    lagSeconds: found?.lag?.seconds ?? null,
  };
}
