import { DependencyError } from '../shared/dependency.ts';
import type { Caller, InvocationContext, RouteHandlers } from '../shared/http-handler.ts';
import { Problem } from '../shared/problem.ts';
import type { Shard } from '../shared/shards.ts';
import type { Command, Decided } from './events.ts';
import type { FailoverPolicy } from './policy.ts';
import type { ProbeStore } from './probing/probe-store.ts';
import { refusalProblem, unknownShard } from './refusal-problem.ts';
import type { failoverRoutes } from './routes.ts';
import { statusOf } from './status.ts';
import type { ShardStatus } from './status-model.ts';
import type { FailoverStore } from './store.ts';

export interface ApiDependencies {
  readonly policy: FailoverPolicy;
  readonly shards: () => Promise<readonly Shard[]>;
  readonly store: Pick<FailoverStore, 'records'>;
  readonly probes: Pick<ProbeStore, 'probes' | 'instances'>;
  /** Has the function that decides do something. */
  readonly command: (command: Command) => Promise<{ readonly shards: readonly Decided[] }>;
}

/** What pausing and resuming are given. */
interface ControlInput extends Pick<InvocationContext, 'trace' | 'log'> {
  readonly body: { readonly shard?: string | undefined; readonly reason: string };
  readonly caller: Caller;
}

const statusPath = '/api/disaster-recovery/failover/status';

/** The routes of failover. */
export function failoverHandlers(deps: ApiDependencies): RouteHandlers<typeof failoverRoutes> {
  const statuses = async (): Promise<ShardStatus[]> => {
    const [shards, records, probes, instances] = await Promise.all([
      deps.shards(),
      deps.store.records(),
      deps.probes.probes(),
      deps.probes.instances(),
    ]);
    const of = <T extends { readonly shard: string }>(all: readonly T[], name: string) =>
      all.find(({ shard }) => shard === name);
    return shards.map((shard) =>
      statusOf(shard, deps.policy, {
        record: of(records, shard.name),
        probe: of(probes, shard.name),
        instances: of(instances, shard.name),
      }),
    );
  };
  const control = (command: 'pause' | 'resume', { body, caller, trace, log }: ControlInput) =>
    available(async () => {
      const { shard, reason } = body;
      const { shards } = await deps.command({
        ...{ command, reason, requestedBy: caller.keyId, traceparent: trace.traceparent },
        ...(shard !== undefined && { shard }),
      });
      if (shards.length === 0 && shard !== undefined) throw unknownShard(shard);
      log.info('Automatic failover', { command, shards: shards.map((each) => each.shard) });
      const named = new Set(shards.map((each) => each.shard));
      const answer = { shards: (await statuses()).filter((each) => named.has(each.shard)) };
      return { status: 200 as const, body: answer };
    });

  return {
    startFailover: ({ body, caller, trace, workId, log }) =>
      available(async () => {
        const { shard, kind, target, reason, dryRun, acceptDataLossBytes } = body;
        const { shards } = await deps.command({
          ...{ command: 'failover', shard, kind, reason, dryRun },
          ...{ requestId: workId, requestedBy: caller.keyId, traceparent: trace.traceparent },
          ...(target !== undefined && { target }),
          ...(acceptDataLossBytes !== undefined && { acceptedLoss: acceptDataLossBytes }),
        });
        const [decided] = shards;
        if (decided === undefined) throw unknownShard(shard);
        const unknown = decided.code === 'unknown-target' || decided.code === 'observe-only';
        if (dryRun && !unknown) {
          const { code, lagBytes } = decided;
          return {
            status: 200,
            body: {
              shard,
              wouldAct: decided.outcome === 'would-start',
              code: code ?? null,
              reason: decided.reason ?? null,
              target: decided.target ?? null,
              lagBytes: lagBytes ?? null,
            },
          };
        }
        if (decided.outcome !== 'started') throw refusalProblem(decided);
        log.info('Failover asked for', { ...decided });
        const status = (await statuses()).find((each) => each.shard === shard);
        if (status === undefined) throw unknownShard(shard);
        return { status: 202, headers: { location: `${statusPath}?shard=${shard}` }, body: status };
      }),

    pauseFailover: (input) => control('pause', input),
    resumeFailover: (input) => control('resume', input),

    getFailoverStatus: ({ query }) =>
      available(async () => {
        const all = await statuses();
        if (query.shard === undefined) return { status: 200, body: { shards: all } };
        const shards = all.filter(({ shard }) => shard === query.shard);
        if (shards.length === 0) throw new Problem('not-found', 'There is no shard of that name.');
        return { status: 200, body: { shards } };
      }),
  };
}

async function available<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof DependencyError)) throw error;
    throw new Problem('not-available', 'A part of AWS that this needs did not answer. Try again later.', {
      headers: { 'retry-after': '5' },
      cause: error,
    });
  }
}
