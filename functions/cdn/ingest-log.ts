import { countEdgeUsage } from '../metrics/tally/edge-usage.ts';
import { TallyStore } from '../metrics/tally/tally-store.ts';
import { dynamo, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { AnalyticsTable } from './analytics/analytics-table.ts';
import { BundleStore } from './analytics/bundle-store.ts';
import { ingestLog } from './analytics/ingest.ts';
import { addIngestMetrics } from './analytics/ingest-metrics.ts';
import { openLog } from './analytics/open-log.ts';
import { usedByTenants } from './analytics/used-by-tenants.ts';
import { cdnContract } from './contract.ts';

/** Counts a log of the edge that has arrived. */
export const handler = eventFunction({
  contract: cdnContract.functions['ingest-log'],
  handler: (environment) => {
    const { EDGE_LOGS_BUCKET, TRAFFIC_RETENTION: retention, CDN_WEBSITES: websites } = environment;
    const table = new AnalyticsTable(dynamo(), environment.CDN_TABLE);
    const tallies = new TallyStore(dynamo(), environment.MONITORING_TABLE);
    const bundles = new BundleStore(s3(), EDGE_LOGS_BUCKET);
    const now = () => new Date();
    return async ({ detail, time }, { log, metrics }) => {
      const { key } = detail.object;
      const source = await openLog(s3(), EDGE_LOGS_BUCKET, key);
      const ingested = await ingestLog(source, { table, bundles, websites, retention, now });
      const used = usedByTenants(ingested.summary);
      const arrivedMs = Date.parse(time);
      await countEdgeUsage(tallies, { id: ingested.id, arrivedMs, used }, Date.now());
      addIngestMetrics(metrics, ingested, new Date(time), now());
      const { id, added, lines, badLines, oldLines, innerLines } = ingested;
      log.info('Log of the edge', { key, id, added, lines, badLines, oldLines, innerLines });
      return { id, added, lines, badLines };
    };
  },
});
