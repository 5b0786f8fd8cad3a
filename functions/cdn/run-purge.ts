import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { dynamo, stepFunctions } from '../shared/clients.ts';
import { eventFunction, memberTraceparent } from '../shared/event-function.ts';
import { inputTraceparent, reportTraceparent } from '../shared/execution-trace.ts';
import type { InvocationContext } from '../shared/http-handler.ts';
import { cdnContract } from './contract.ts';
import { purgeIdSchema } from './ids.ts';
import { edgeClientOf, providerOf, tellingOf } from './parts.ts';
import type { PurgeDependencies } from './purge/dependencies.ts';
import type { PurgeRecord } from './purge/record.ts';
import { endInterrupted, runTurn } from './purge/run-turn.ts';
import { PurgeStore } from './purge/store.ts';
import { QueueStore } from './queue/queue-store.ts';
import { executionStarter } from './start-execution.ts';
import { VersionedItems } from './versioned-items.ts';
import { warmAfterPurge } from './warming/start.ts';
import { WarmingStore } from './warming/store.ts';

/** What has to be left of an invocation for another step: calls of a provider, with their attempts, and of the edge. */
const stepMs = 75_000;

/** Takes a purge as far as it goes without waiting; and ends one whose execution is over. */
export const handler = eventFunction({
  contract: cdnContract.functions['run-purge'],
  traceparentOf: (event) => inputTraceparent(event) ?? reportTraceparent(event) ?? memberTraceparent(event),
  handler: (environment) => {
    const { CDN_TABLE, CDN_PROVIDER } = environment;
    const provider = providerOf(CDN_PROVIDER)?.provider;
    const edge = edgeClientOf(CDN_PROVIDER, { totalMs: 20_000 });
    const store = new PurgeStore(dynamo(), CDN_TABLE);
    const items = new VersionedItems(dynamo(), CDN_TABLE);
    const warmings = new WarmingStore(dynamo(), CDN_TABLE);
    const startWarming = executionStarter(stepFunctions(), environment.WARMING_STATE_MACHINE_ARN);
    const locations = CDN_PROVIDER.kind === 'cloudfront' ? CDN_PROVIDER.locations : [];
    const teller = { ...tellingOf(environment), store };
    return async (event, { log, metrics, remainingMs }) => {
      // A purge that was begun is not gone on with where its provider has been taken away.
      if (provider === undefined || edge === undefined) throw new Error('No edge provider is configured.');
      const deps: PurgeDependencies = {
        ...{ store, provider, now: Date.now },
        queueOf: (target, capacity) => new QueueStore(items, target, capacity, Date.now),
        ask: (request) => edge.get(request),
        startWarming: (purge, paths) =>
          warmAfterPurge(
            warmings,
            startWarming,
            purge,
            paths,
            purge.target.shared ? [] : locations,
            Date.now(),
          ),
        warmingState: async (id) => (await warmings.get(id))?.state,
        hasTime: () => remainingMs() > stepMs,
      };
      if ('detail' in event) {
        const id = purgeIdSchema.parse(event.detail.name);
        const ended = await endInterrupted(deps, teller, id, event.detail.status);
        if (ended !== undefined) count({ log, metrics }, ended);
        return { outcome: 'ended', waitSeconds: 0 };
      }
      const { ended, ...turn } = await runTurn(deps, teller, event.purgeId);
      if (ended !== undefined) count({ log, metrics }, ended);
      return turn;
    };
  },
});

function count({ log, metrics }: Pick<InvocationContext, 'log' | 'metrics'>, purge: PurgeRecord): void {
  const { id, state, counts, submitted, error, createdAt, finishedAt = createdAt } = purge;
  const failed = state === 'failed';
  metrics.addMetric('PurgesFailed', MetricUnit.Count, failed ? 1 : 0);
  metrics.addMetric('PurgesCompleted', MetricUnit.Count, state === 'completed' ? 1 : 0);
  if (state === 'completed') {
    metrics.addMetric('PurgeMs', MetricUnit.Milliseconds, Date.parse(finishedAt) - Date.parse(createdAt));
  }
  const about = { purgeId: id, state, counts, calls: submitted, error };
  if (failed) log.error('A purge has failed', about);
  else log.info('A purge has ended', about);
}
