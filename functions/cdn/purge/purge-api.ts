import type { RouteHandlers } from '../../shared/http-handler.ts';
import { Problem } from '../../shared/problem.ts';
import { type PurgeId, purgeIdSchema } from '../ids.ts';
import { idToStart, notStarted } from '../not-started.ts';
import { answerProvider } from '../provider-problems.ts';
import type { QueryStrings } from '../providers/normalise.ts';
import type { EdgeProvider } from '../providers/provider.ts';
import type { StartExecution } from '../start-execution.ts';
import type { purgeRoutes } from './contract.ts';
import { hasEnded, type PurgeRecord } from './record.ts';
import { newPurge } from './request.ts';
import type { PurgeStore } from './store.ts';
import { showPurge } from './view.ts';

export interface PurgeApiDependencies {
  readonly provider: EdgeProvider | undefined;
  readonly queryStrings: QueryStrings;
  readonly purges: PurgeStore;
  readonly startPurge: StartExecution;
  readonly now: () => number;
}

const maximumRounds = 5;
const pathOf = (id: PurgeId): string => `/api/cdn/purge/${id}`;

/** The routes of purges. */
export function purgeHandlers(deps: PurgeApiDependencies): RouteHandlers<typeof purgeRoutes> {
  const { provider: configured, purges, now } = deps;
  const find = async (id: PurgeId): Promise<PurgeRecord> => {
    const record = await purges.get(id);
    if (record === undefined) throw new Problem('not-found', 'There is no purge of that id.');
    return record;
  };
  const accepted = (record: PurgeRecord) => ({
    status: 202 as const,
    headers: { location: pathOf(record.id) },
    body: showPurge(record),
  });
  /** Nothing of it is run: a repetition begins another. */
  const giveUp = async (id: PurgeId) => {
    const record = await find(id);
    // What has left the queue was started after all, by an attempt whose answer was lost.
    if (record.state !== 'queued') return;
    const finishedAt = new Date(now()).toISOString();
    await purges.save({ ...record, state: 'failed', stage: 'ended', finishedAt, error: notStarted });
  };

  return {
    startPurge: ({ body, caller, workId, trace, log }) =>
      answerProvider(configured, async (provider) => {
        const id = await idToStart(purgeIdSchema, workId, (known) => purges.get(known));
        const known = await purges.get(id);
        if (known === undefined) {
          const about = { id, requestedBy: caller.keyId, traceparent: trace.traceparent, now: now() };
          const { record, items, rewarm } = await newPurge(provider, body, deps.queryStrings, about);
          await purges.create(record, items, { rewarm, tenant: body.tenant });
        }
        try {
          await deps.startPurge(id, { traceparent: trace.traceparent });
        } catch (error) {
          if (known === undefined) await giveUp(id);
          throw error;
        }
        const record = await find(id);
        log.info('Purge started', { purgeId: id, ...record.counts, domain: record.target.domain });
        return accepted(record);
      }),

    getPurge: async ({ params }) => ({ status: 200, body: showPurge(await find(params.purgeId)) }),

    cancelPurge: async ({ params, log }) => {
      for (let round = 0; round < maximumRounds; round++) {
        const record = await find(params.purgeId);
        if (record.state === 'canceled' || record.cancelRequested === true) return accepted(record);
        if (hasEnded(record) || (record.calls > 0 && record.submitted >= record.calls)) {
          const why = hasEnded(record) ? `It is ${record.state}` : 'The provider has been told everything';
          throw new Problem('conflict', `${why}: it cannot be canceled any more.`);
        }
        const saved = await purges.save({ ...record, cancelRequested: true });
        if (saved === undefined) continue;
        log.info('Purge canceled', { purgeId: record.id });
        return accepted(saved);
      }
      throw new Problem('conflict', 'The purge is changed all the time. Try again.');
    },
  };
}
