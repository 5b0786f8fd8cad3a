import { setTimeout as delay } from 'node:timers/promises';
import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { dynamo, s3 } from '../shared/clients.ts';
import { eventFunction, memberTraceparent } from '../shared/event-function.ts';
import { inputTraceparent, reportTraceparent } from '../shared/execution-trace.ts';
import type { InvocationContext } from '../shared/http-handler.ts';
import { AnalyticsTable } from './analytics/analytics-table.ts';
import { BundleStore } from './analytics/bundle-store.ts';
import { cdnContract } from './contract.ts';
import { edgeClientOf, providerOf, tellingOf } from './parts.ts';
import { QueueStore } from './queue/queue-store.ts';
import { VersionedItems } from './versioned-items.ts';
import { popularPathsOf } from './warming/popular-paths.ts';
import type { WarmingRecord } from './warming/record.ts';
import { endInterrupted, runTurn } from './warming/run-turn.ts';
import { makeScheduled } from './warming/scheduled.ts';
import { ScheduleStore } from './warming/schedules/schedule-store.ts';
import { WarmingStore } from './warming/store.ts';

/** What has to be left of an invocation for another request: three attempts of 20 s, and the waits between. */
const attemptsMs = 100_000;
const requestMs = 20_000;

/** Warms what a request, a purge or a schedule wants; and ends a warming whose execution is over. */
export const handler = eventFunction({
  contract: cdnContract.functions['run-warming'],
  traceparentOf: (event) => inputTraceparent(event) ?? reportTraceparent(event) ?? memberTraceparent(event),
  handler: (environment) => {
    const { CDN_TABLE, CDN_PROVIDER: settings, REQUESTS_PER_SECOND: requestsPerSecond } = environment;
    const provider = providerOf(settings)?.provider;
    const edge = edgeClientOf(settings, { totalMs: requestMs });
    const store = new WarmingStore(dynamo(), CDN_TABLE);
    const schedules = new ScheduleStore(dynamo(), CDN_TABLE);
    const items = new VersionedItems(dynamo(), CDN_TABLE);
    const queue = new QueueStore(items, 'warming', { warmings: 1 }, Date.now);
    const teller = { ...tellingOf(environment), store };
    const table = new AnalyticsTable(dynamo(), CDN_TABLE);
    const bundles = new BundleStore(s3(), environment.EDGE_LOGS_BUCKET);
    return async (event, { log, metrics, trace, remainingMs }) => {
      if (provider === undefined || edge === undefined || settings.kind === 'none') {
        throw new Error('No edge provider is configured.');
      }
      const deps = {
        ...{ store, queue, requestsPerSecond, now: Date.now, sleep: delay },
        ask: (request: Parameters<typeof edge.get>[0]) => edge.get(request),
        hasTime: () => remainingMs() > attemptsMs,
      };
      if ('detail' in event) {
        const id = await store.idOfExecution(event.detail.name, false);
        const ended = id && (await endInterrupted(deps, teller, id, event.detail.status));
        if (ended !== undefined) count({ log, metrics }, ended);
        return { outcome: 'ended', waitSeconds: 0 };
      }
      const id = await store.idOfExecution(event.execution, true);
      if (id === undefined) throw new Error('The execution has no warming.');
      const { scheduleId } = event.input;
      if (scheduleId !== undefined) {
        const { queryStrings } = settings;
        const locations = settings.kind === 'cloudfront' ? settings.locations : [];
        const found = {
          ...{ store, schedules, provider, queryStrings, locations, now: Date.now },
          popularPaths: popularPathsOf({ table, bundles, queryStrings, now: Date.now }),
        };
        if (!(await makeScheduled(found, id, scheduleId, trace.traceparent))) {
          log.info('There is nothing to warm', { scheduleId });
          return { outcome: 'ended', waitSeconds: 0 };
        }
      }
      const { ended, ...turn } = await runTurn(deps, teller, id);
      if (ended !== undefined) count({ log, metrics }, ended);
      return turn;
    };
  },
});

function count({ log, metrics }: Pick<InvocationContext, 'log' | 'metrics'>, warming: WarmingRecord): void {
  const { id, state, requests, cold, warm, failed, error } = warming;
  metrics.addMetric('WarmingsFailed', MetricUnit.Count, state === 'failed' ? 1 : 0);
  metrics.addMetric('WarmingRequestsFailed', MetricUnit.Count, failed);
  metrics.addMetric('WarmingRequests', MetricUnit.Count, warming.done);
  const about = { warmingId: id, state, requests, cold, warm, failed, error };
  if (state === 'failed') log.error('A warming has failed', about);
  else log.info('A warming has ended', about);
}
