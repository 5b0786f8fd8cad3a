import * as z from 'zod';
import type { Caller, InvocationContext, RouteHandlers } from '../../shared/http-handler.ts';
import { decodeToken, encodeToken } from '../../shared/paging.ts';
import { Problem } from '../../shared/problem.ts';
import { type WarmingId, warmingIdSchema } from '../ids.ts';
import { idToStart } from '../not-started.ts';
import { answerProvider } from '../provider-problems.ts';
import type { QueryStrings } from '../providers/normalise.ts';
import type { EdgeProvider, Site } from '../providers/provider.ts';
import { isNamed } from '../providers/sites.ts';
import type { StartExecution } from '../start-execution.ts';
import type { warmingRoutes } from './contract.ts';
import type { Asking } from './model.ts';
import type { PopularPaths } from './popular-paths.ts';
import { hasEnded, type WarmingRecord } from './record.ts';
import { type AskedPath, newWarming, type Place } from './request.ts';
import { startWarming } from './start.ts';
import type { WarmingStore } from './store.ts';
import { pathsOfUser } from './user-paths.ts';
import { showWarming } from './view.ts';

export interface WarmingApiDependencies {
  readonly provider: EdgeProvider | undefined;
  readonly queryStrings: QueryStrings;
  readonly locations: Place['locations'];
  /** Templates of the paths of one user. */
  readonly userPaths: readonly string[];
  readonly warmings: WarmingStore;
  readonly startWarming: StartExecution;
  readonly popularPaths: PopularPaths;
  readonly now: () => number;
}

type WarmingHandlers = Pick<
  RouteHandlers<typeof warmingRoutes>,
  'warm' | 'warmPopular' | 'warmUser' | 'getWarming' | 'getWarmingResults' | 'cancelWarming'
>;

/** What every request that starts one has. */
interface Begun extends Pick<InvocationContext, 'trace' | 'log'> {
  readonly body: Asking & Site;
  readonly caller: Caller;
  readonly workId: string;
}

const maximumRounds = 5;
const pathOf = (id: WarmingId): string => `/api/cdn/warming/${id}`;
const positionSchema = z.number().int().min(0);

/** The routes of warmings; those of their schedules have a file of their own. */
export function warmingHandlers(deps: WarmingApiDependencies): WarmingHandlers {
  const { warmings, now } = deps;
  const find = async (id: WarmingId): Promise<WarmingRecord> => {
    const record = await warmings.get(id);
    if (record === undefined) throw new Problem('not-found', 'There is no warming of that id.');
    return record;
  };
  const accepted = (record: WarmingRecord) => ({
    status: 202 as const,
    headers: { location: pathOf(record.id) },
    body: showWarming(record),
  });
  /** The warming of a request: again, it is the same one. */
  const begin = (
    { body, caller, workId, trace, log }: Begun,
    paths: () => Promise<readonly AskedPath[]>,
    field = 'paths',
  ) =>
    answerProvider(deps.provider, async (provider) => {
      const id = await idToStart(warmingIdSchema, workId, (begun) => warmings.get(begun));
      const known = await warmings.get(id);
      if (known === undefined) {
        const { domain } = await provider.target(body);
        // The addresses of locations are those of the deployment's own distribution.
        const place = { domain, locations: isNamed(body) ? [] : deps.locations };
        const about = {
          id,
          trigger: 'api',
          requestedBy: caller.keyId,
          traceparent: trace.traceparent,
        } as const;
        const made = newWarming(
          await paths(),
          body,
          place,
          deps.queryStrings,
          { ...about, now: now() },
          field,
        );
        await startWarming(warmings, deps.startWarming, made, now());
      } else {
        await deps.startWarming(id, { traceparent: known.traceparent });
      }
      const record = await find(id);
      log.info('Warming started', { warmingId: id, requests: record.requests, priority: record.priority });
      return accepted(record);
    });

  return {
    warm: (input) => begin(input, async () => input.body.paths),

    warmPopular: (input) =>
      begin(
        input,
        async () => {
          const paths = await deps.popularPaths(input.body.top, input.body.tenant);
          if (paths.length > 0) return paths;
          throw new Problem('conflict', 'The analytics know of no requests within the last day.', {
            extensions: { code: 'no-analytics' },
          });
        },
        'top',
      ),

    warmUser: (input) =>
      begin(
        input,
        async () => {
          if (deps.userPaths.length > 0) return pathsOfUser(deps.userPaths, input.params.userId);
          throw new Problem('conflict', 'No paths of users are configured: cdn.warming.userPaths.', {
            extensions: { code: 'no-user-paths' },
          });
        },
        'userId',
      ),

    getWarming: async ({ params }) => ({ status: 200, body: showWarming(await find(params.warmingId)) }),

    getWarmingResults: async ({ params, query }) => {
      const record = await find(params.warmingId);
      const list = `warming ${record.id}`;
      const from = decodeToken(list, positionSchema, query.nextToken) ?? 0;
      const results = await warmings.results(record, from, query.limit);
      const next = from + results.length;
      const more = results.length > 0 && next < record.done;
      return { status: 200, body: { results, nextToken: more ? encodeToken(list, next) : null } };
    },

    cancelWarming: async ({ params, log }) => {
      for (let round = 0; round < maximumRounds; round++) {
        const record = await find(params.warmingId);
        if (record.state === 'canceled' || record.cancelRequested === true) return accepted(record);
        if (hasEnded(record)) {
          throw new Problem('conflict', `The warming is ${record.state}: it cannot be canceled any more.`);
        }
        const saved = await warmings.save({ ...record, cancelRequested: true });
        if (saved === undefined) continue;
        log.info('Warming canceled', { warmingId: record.id });
        return accepted(saved);
      }
      throw new Problem('conflict', 'The warming is changed all the time. Try again.');
    },
  };
}
