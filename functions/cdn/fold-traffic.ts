import { dynamo, s3 } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { AnalyticsTable } from './analytics/analytics-table.ts';
import { BundleStore } from './analytics/bundle-store.ts';
import { fold } from './analytics/fold.ts';
import { cdnContract } from './contract.ts';

/** What one more write may take, with every retry. */
const reserveMs = 60_000;

/** Folds logs that were counted into the totals of hours, and hours into days. */
export const handler = eventFunction({
  contract: cdnContract.functions['fold-traffic'],
  handler: ({ CDN_TABLE, EDGE_LOGS_BUCKET, TRAFFIC_RETENTION: retention }) => {
    const table = new AnalyticsTable(dynamo(), CDN_TABLE);
    const bundles = new BundleStore(s3(), EDGE_LOGS_BUCKET);
    return async (_event, { log, remainingMs }) => {
      const hasTime = () => remainingMs() > reserveMs;
      const folded = await fold({ table, bundles, retention, hasTime, now: () => new Date() });
      log.info('Traffic folded', { ...folded });
      return folded;
    };
  },
});
