import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { dynamo } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { SpanStore } from '../tracing/store/span-store.ts';
import { metricsContract } from './contract.ts';
import { unpackDelivery } from './observe/log-batch.ts';
import { observe } from './observe/observed.ts';
import { spansOf } from './observe/spans-of.ts';
import { TallyStore } from './tally/tally-store.ts';

/** Keeps what functions tell of their invocations in their logs: to be counted, and as spans. */
export const handler = eventFunction({
  contract: metricsContract.functions.observe,
  handler: ({ MONITORING_TABLE, TRACING_TABLE: table, TRACING_RETENTION_DAYS: retentionDays }) => {
    const tallies = new TallyStore(dynamo(), MONITORING_TABLE);
    const spans = new SpanStore({ client: dynamo(), table, retentionDays, now: Date.now });
    return async (delivery, { metrics }) => {
      const batch = unpackDelivery(delivery);
      if (batch === undefined) return;
      const now = Date.now();
      const { lines, batches, late } = observe(batch, now);
      for (const { hour, ...each } of batches) await tallies.addBatch(hour, each, now);
      await spans.putSpans(spansOf(lines));
      metrics.addMetric('InvocationsTooLate', MetricUnit.Count, late);
    };
  },
});
