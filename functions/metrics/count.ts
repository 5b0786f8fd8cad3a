import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { dynamo } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { metricsContract } from './contract.ts';
import { countAll } from './tally/count-all.ts';
import { memoryUsed } from './tally/tally.ts';
import { TallyStore } from './tally/tally-store.ts';

/** Takes what functions have told of their invocations into the totals, and says which kinds of error are new. */
export const handler = eventFunction({
  contract: metricsContract.functions.count,
  handler:
    ({ MONITORING_TABLE }) =>
    async (_event, { log, metrics }) => {
      const store = new TallyStore(dynamo(), MONITORING_TABLE);
      const { batches, newErrors, seen } = await countAll(store, Date.now);
      metrics.addMetric('BatchesCounted', MetricUnit.Count, batches);
      metrics.addMetric('NewErrorPatterns', MetricUnit.Count, newErrors.length);
      metrics.addMetric('PeakMemoryPercent', MetricUnit.Percent, 100 * memoryUsed(seen));
      for (const { type, where, pattern, traceId } of newErrors) {
        log.warn('A new kind of error', {
          type,
          where,
          pattern,
          ...(traceId !== undefined && { of: traceId }),
        });
      }
      return { batches, newErrors: newErrors.length };
    },
});
