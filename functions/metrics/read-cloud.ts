import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { cloudWatch, dynamo } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { ShardReader } from '../shared/shards.ts';
import { CloudStore } from './cloud/cloud-store.ts';
import { cloudQueries } from './cloud/queries.ts';
import { readCloud } from './cloud/read-cloud.ts';
import { metricsContract } from './contract.ts';

/** Reads what only CloudWatch has, for those who ask for metrics. */
export const handler = eventFunction({
  contract: metricsContract.functions['read-cloud'],
  handler: ({ MONITORING_TABLE, SHARDS_TABLE, SOURCES }) => {
    const store = new CloudStore(dynamo(), MONITORING_TABLE);
    const shards = new ShardReader(dynamo(), SHARDS_TABLE);
    const queries = async () => cloudQueries(SOURCES, await shards.list());
    return async (_event, { metrics }) => {
      const read = await readCloud({ client: cloudWatch(), store, queries, now: Date.now });
      metrics.addMetric('CloudMetricsRead', MetricUnit.Count, read.metrics);
      return read;
    };
  },
});
