import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { ProbeStore } from '../failover/probing/probe-store.ts';
import { dynamo } from '../shared/clients.ts';
import { connect } from '../shared/database.ts';
import { eventFunction } from '../shared/event-function.ts';
import { ShardReader } from '../shared/shards.ts';
import { AnalysisStore } from './balance/analysis/analysis-store.ts';
import { analyzeShards } from './balance/analysis/analyze-shards.ts';
import { combine, rowsOf } from './balance/combine.ts';
import type { AnalyzeResult } from './balance/events.ts';
import { shardsContract } from './contract.ts';
import { MapStore } from './map/map-store.ts';

/** What the function needs to end in an orderly way, in milliseconds. */
const endMs = 20_000;

/** Counts what lies on the shards by slot, keeps it, and says how even it is. */
export const handler = eventFunction({
  contract: shardsContract.functions.analyze,
  handler: ({ SHARDS_TABLE, BALANCE: balance, COUNTED: counted }) => {
    const store = new AnalysisStore(dynamo(), SHARDS_TABLE);
    const probes = new ProbeStore(dynamo(), SHARDS_TABLE);
    const maps = new MapStore(dynamo(), SHARDS_TABLE);
    return async (_, { requestId, log, metrics, remainingMs }): Promise<AnalyzeResult> => {
      const run = requestId;
      if (!(await store.begin(run, Date.now()))) return { outcome: 'busy', shards: 0, failed: [] };
      let state: 'completed' | 'failed' = 'failed';
      try {
        const [map, shards, instances, found] = await Promise.all([
          maps.read(),
          // Read anew: a shard may have another writer since the last time.
          new ShardReader(dynamo(), SHARDS_TABLE).list(),
          probes.instances(),
          probes.probes(),
        ]);
        if (map === undefined)
          throw new Error('There is no shard map: the deployment has not been prepared.');
        const failed = await analyzeShards(
          {
            ...{ run, shards, instances, probes: found, slots: map.slots },
            deadline: Date.now() + remainingMs() - endMs,
          },
          { store, open: connect, balance, counted, log, now: Date.now },
        );
        const names = shards.map(({ name }) => name);
        const combined = combine(names, await store.read(), map, balance);
        const rows = combined.shards.reduce((sum, shard) => sum + rowsOf(shard), 0);
        metrics.addMetric('ShardImbalance', MetricUnit.NoUnit, combined.variance ?? 0);
        metrics.addMetric('AnalyzedRows', MetricUnit.Count, rows);
        metrics.addMetric('ShardsNotAnalyzed', MetricUnit.Count, failed.length);
        state = failed.length < shards.length ? 'completed' : 'failed';
        return {
          ...{ outcome: 'done', shards: shards.length, failed },
          ...(combined.variance !== undefined && { variance: combined.variance }),
        };
      } finally {
        await store.end(run, state, Date.now());
      }
    };
  },
});
