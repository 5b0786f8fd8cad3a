import { setTimeout as pause } from 'node:timers/promises';
import { dynamo } from '../shared/clients.ts';
import { eventFunction } from '../shared/event-function.ts';
import { CanaryMark } from './canary/canary-mark.ts';
import { runCanary } from './canary/run-canary.ts';
import { tracingContract } from './contract.ts';
import { SpanBlocks } from './store/span-blocks.ts';
import { SpanStore } from './store/span-store.ts';

/** On a schedule: writes a small trace, and looks whether it and the previous one are found. */
export const handler = eventFunction({
  contract: tracingContract.functions.canary,
  handler: ({ TRACING_TABLE: table, TRACING_RETENTION_DAYS: retentionDays, TRACING_LIMITS: limits }) => {
    const common = { client: dynamo(), table, now: Date.now };
    const store = new SpanStore({ ...common, retentionDays });
    const blocks = new SpanBlocks(common);
    const mark = new CanaryMark(common.client, table);
    return async (_event, { log, metrics }) => {
      const { lost, delayMs } = await runCanary({
        ...{ store, blocks, mark, limits, retentionDays, metrics, now: Date.now, pause },
      });
      if (lost === undefined) log.info('The traces of the canary are found', { delayMs });
      else log.error('The previous trace of the canary is lost', { lost, delayMs });
    };
  },
});
