import { dynamo, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { AnalyticsTable } from './analytics/analytics-table.ts';
import { BundleStore } from './analytics/bundle-store.ts';
import { ingestLog } from './analytics/ingest.ts';
import { addIngestMetrics } from './analytics/ingest-metrics.ts';
import { openLog } from './analytics/open-log.ts';
import { cdnContract } from './contract.ts';

/** Counts a log of the edge that has arrived. */
export const handler = eventFunction({
  contract: cdnContract.functions['ingest-log'],
  handler: ({ CDN_TABLE, EDGE_LOGS_BUCKET, TRAFFIC_RETENTION: retention, CDN_WEBSITES: websites }) => {
    const table = new AnalyticsTable(dynamo(), CDN_TABLE);
    const bundles = new BundleStore(s3(), EDGE_LOGS_BUCKET);
    const now = () => new Date();
    return async ({ detail, time }, { log, metrics }) => {
      const { key } = detail.object;
      const source = await openLog(s3(), EDGE_LOGS_BUCKET, key);
      const ingested = await ingestLog(source, { table, bundles, websites, retention, now });
      addIngestMetrics(metrics, ingested, new Date(time), now());
      const { id, added, lines, badLines, oldLines, innerLines } = ingested;
      log.info('Log of the edge', { key, id, added, lines, badLines, oldLines, innerLines });
      return { id, added, lines, badLines };
    };
  },
});
