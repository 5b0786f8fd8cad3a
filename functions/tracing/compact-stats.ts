import { dynamo } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { tracingContract } from './contract.ts';
import { compactStats } from './stats/compact.ts';
import { StatsStore } from './stats/stats-store.ts';

/** Time kept back to end properly. */
const endMs = 20_000;

/** On a schedule: puts one item in the place of many statistics. */
export const handler = eventFunction({
  contract: tracingContract.functions['compact-stats'],
  handler: ({ TRACING_TABLE: table, TRACING_RETENTION_DAYS: retentionDays }) => {
    const store = new StatsStore({ client: dynamo(), table, now: Date.now });
    return async (_event, { log, remainingMs }) => {
      const replaced = await compactStats(store, {
        ...{ now: Date.now(), retentionDays, inTime: () => remainingMs() > endMs },
      });
      log.info('Compacted statistics', { replaced });
    };
  },
});
