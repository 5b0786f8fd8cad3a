import { databaseUsers } from '../../lib/constants.ts';
import { asker } from '../failover/probing/ask.ts';
import { ProbeStore } from '../failover/probing/probe-store.ts';
import { dynamo } from '../shared/clients.ts';
import { connect } from '../shared/database.ts';
import { eventFunction } from '../shared/event-function.ts';
import { ShardReader } from '../shared/shards.ts';
import { shardsContract } from './contract.ts';
import { insightsTimeoutMs } from './insights/limits.ts';
import { readInsights } from './insights/read-insights.ts';

/** Reads what the shards' own statistics tell of statements, indexes, tables and connections. */
export const handler = eventFunction({
  contract: shardsContract.functions.insights,
  handler: ({ SHARDS_TABLE, HEALTH: { slowQueryMs } }) => {
    const list = new ShardReader(dynamo(), SHARDS_TABLE);
    const known = new ProbeStore(dynamo(), SHARDS_TABLE);
    const ask = asker(connect, databaseUsers.stats, insightsTimeoutMs);
    return async ({ shard: only }) => {
      const [shards, instances] = await Promise.all([list.list(), known.instances()]);
      const meant = shards.filter(({ name }) => only === undefined || name === only);
      return {
        shards: await Promise.all(
          meant.map((shard) => {
            const own = instances.find((each) => each.shard === shard.name)?.instances ?? [];
            return readInsights(shard, own, { ask, slowMs: slowQueryMs, now: () => new Date() });
          }),
        ),
      };
    };
  },
});
