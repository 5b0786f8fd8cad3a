import { databaseUsers } from '../../lib/constants.ts';
import { asker } from '../failover/probing/ask.ts';
import { ProbeStore } from '../failover/probing/probe-store.ts';
import { dynamo } from '../shared/clients.ts';
import { connect } from '../shared/database.ts';
import { eventFunction } from '../shared/event-function.ts';
import { ShardReader } from '../shared/shards.ts';
import { shardsContract } from './contract.ts';
import { publishHealth, publishSlow } from './health/health-metrics.ts';
import { HealthStore } from './health/health-store.ts';
import { lookAtAll } from './health/look-at-all.ts';
import { CounterStore } from './statements/counter-store.ts';
import { slowSinceLast } from './statements/follow.ts';

/** Looks at every instance of the shards from inside the network; on schedule it keeps and publishes what it finds. */
export const handler = eventFunction({
  contract: shardsContract.functions.health,
  handler: ({ SHARDS_TABLE, HEALTH: settings }) => {
    const store = new HealthStore(dynamo(), SHARDS_TABLE);
    const counters = new CounterStore(dynamo(), SHARDS_TABLE);
    const known = new ProbeStore(dynamo(), SHARDS_TABLE);
    const parts = {
      // Read anew each time: after a failover, another instance is the writer.
      shards: () => new ShardReader(dynamo(), SHARDS_TABLE).list(),
      instances: () => known.instances(),
      ask: asker(connect, databaseUsers.stats, settings.timeoutMs),
      settings,
      clock: { date: () => new Date(), now: () => performance.now() },
    };
    return async ({ record, shard }, { log }) => {
      const shards = await lookAtAll(parts, shard);
      for (const { shard, state, reasons } of shards) {
        if (state !== 'healthy') log.warn('A shard is not healthy', { shard, state, reasons });
      }
      if (record) {
        for (const health of shards) publishHealth(health);
        await Promise.all(shards.map((health) => store.put(health)));
        await Promise.all(
          (await parts.shards()).map(async (each) => {
            const { ask } = parts;
            const slow = await slowSinceLast(each, { ask, store: counters, slowMs: settings.slowQueryMs });
            if (slow !== undefined) publishSlow(each.name, slow);
          }),
        );
      }
      return { shards };
    };
  },
});
