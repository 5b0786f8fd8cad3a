import type { ShardInstances } from '../../failover/model.ts';
import type { Ask } from '../../failover/probing/ask.ts';
import type { Shard } from '../../shared/shards.ts';
import { judgeShard } from './judge-shard.ts';
import { lookAtHealth } from './look.ts';
import type { ShardHealth } from './model.ts';
import type { HealthSettings } from './settings.ts';

export interface HealthParts {
  readonly shards: () => Promise<readonly Shard[]>;
  readonly instances: () => Promise<readonly ShardInstances[]>;
  readonly ask: Ask;
  readonly settings: HealthSettings;
  readonly clock: { date(): Date; now(): number };
}

/**
 * Looks at all shards at the same time: all of it takes as long as the slowest, which is bounded.
 *
 * @param only the one shard that is meant; default: all.
 */
export async function lookAtAll(
  { shards, instances, ask, settings, clock }: HealthParts,
  only?: string,
): Promise<ShardHealth[]> {
  const [all, known] = await Promise.all([shards(), instances()]);
  const meant = only === undefined ? all : all.filter(({ name }) => name === only);
  return Promise.all(
    meant.map(async (shard) => {
      const at = clock.date();
      const own = known.find((each) => each.shard === shard.name)?.instances ?? [];
      const found = await lookAtHealth(shard, own, { ask, settings, now: clock.now });
      return judgeShard(shard, found, at, settings);
    }),
  );
}
