import { type AttemptDependencies, attempt, inputOf } from './attempt.ts';
import { type Concluded, conclude, isActing } from './conclude.ts';
import type { ExecutionStatus } from './executions.ts';
import type { DatabaseInstance } from './model.ts';
import { isAfter, observe, recordEngine } from './observe.ts';
import { policyOf, type ShardPolicy, staleAfterMs } from './policy.ts';
import { type FailoverRecord, newRecord } from './record.ts';
import type { RoutedShard, ShardKnowledge } from './store.ts';
import type { Moment } from './transition.ts';

export interface WatchdogDependencies extends AttemptDependencies {
  readonly status: (name: string) => Promise<ExecutionStatus | undefined>;
  /** Begins the epoch after this one, if it is still the shard's. */
  readonly raiseEpoch: (shard: string, from: number) => Promise<void>;
  /** Fences an instance that takes writes beside the shard's writer. */
  readonly fenceOther: (shard: RoutedShard, instance: DatabaseInstance) => Promise<void>;
}

export interface Watched {
  readonly record: FailoverRecord;
  readonly concluded?: Concluded;
  /** Instances that took writes beside the writer. */
  readonly fenced: readonly string[];
}

/**
 * Looks after one shard, every minute: alarms come once, and whoever acts may be killed at any time. What is unfinished goes on,
 * what is still not well is decided about anew, and what the engine has done by itself is noted.
 *
 * @throws DependencyError; the next minute comes.
 */
export async function watch(
  deps: WatchdogDependencies,
  shard: string,
  traceparent: string,
): Promise<Watched | undefined> {
  const known = await deps.store.know(shard);
  if (known === undefined) return undefined;
  const policy = policyOf(deps.policy, shard);
  const moment = { now: deps.now(), traceparent };
  const record = known.record ?? newRecord(shard, new Date(moment.now).toISOString());
  if (isActing(record)) return resumeOperation(deps, known, record, moment);
  const fenced = await fenceOthers(deps, known, policy);
  const engine = await noteEngine(deps, known, record, policy, moment);
  if (engine !== undefined) return { record: engine, fenced };
  const observed = observe(record, known.probe, known.shard, policy, moment);
  // Whoever else has written knows better: what was seen is seen again in a minute.
  const saved = observed === record ? record : ((await deps.store.save(observed)) ?? record);
  if (needsAttention(saved, known, policy, moment.now)) {
    const reason = known.probe?.reason ?? saved.reason ?? 'The writer does not serve.';
    await attempt(deps, shard, { kind: 'failover', trigger: 'watchdog', reason }, traceparent);
    return { record: (await deps.store.record(shard)) ?? saved, fenced };
  }
  return { record: saved, fenced };
}

/** Starts what was claimed and not begun, and ends what is over and not concluded. */
async function resumeOperation(
  deps: WatchdogDependencies,
  { shard }: ShardKnowledge,
  record: FailoverRecord & { readonly operation: NonNullable<FailoverRecord['operation']> },
  moment: Moment,
): Promise<Watched> {
  const { operation } = record;
  const status = await deps.status(operation.name);
  if (status === undefined) {
    await deps.start(operation.name, inputOf(shard.name, operation));
    return { record, fenced: [] };
  }
  if (status.running) return { record, fenced: [] };
  const concluded = await conclude(deps, shard.name, operation.name, status.failure, moment);
  return { record: concluded.record ?? record, concluded, fenced: [] };
}

/** Whether a shard is to be decided about without an alarm. */
export function needsAttention(
  { state }: FailoverRecord,
  { probe }: Pick<ShardKnowledge, 'probe'>,
  policy: ShardPolicy,
  now: number,
): boolean {
  if (state === 'failing_over') return false;
  if (state === 'held') return true;
  const blind = probe === undefined || probe.cutOff || now - Date.parse(probe.at) > staleAfterMs(policy);
  // Nobody looks: what an alarm has brought up is looked at until it is well.
  if (blind) return state === 'suspect';
  return !probe.ok && probe.consecutiveFailures >= policy.failureThreshold;
}

/** An old writer that has come back takes no writes again, where nobody else sees to that. */
async function fenceOthers(
  deps: WatchdogDependencies,
  { shard, probe, instances }: ShardKnowledge,
  policy: ShardPolicy,
): Promise<string[]> {
  if (policy.action !== 'replica' || probe?.ok !== true) return [];
  if (deps.now() - Date.parse(probe.at) > staleAfterMs(policy)) return [];
  const { writer } = shard;
  const others = (instances?.instances ?? []).filter(
    ({ id, host, port }) =>
      probe.otherWriters.includes(id) &&
      (host !== writer.host || port !== writer.port) &&
      id !== probe.writerInstance,
  );
  for (const other of others) await deps.fenceOther(shard, other);
  return others.map(({ id }) => id);
}

/**
 * Notes that the engine has made another instance the writer. First the record, then the epoch: cut short in between, the record
 * knows a writer of an epoch that has not begun, and it begins the next time.
 */
async function noteEngine(
  deps: WatchdogDependencies,
  { shard, probe }: ShardKnowledge,
  record: FailoverRecord,
  policy: ShardPolicy,
  moment: Moment,
): Promise<FailoverRecord | undefined> {
  const known = record.knownWriter;
  if (known === undefined || policy.action === 'replica') return undefined;
  if (known.epoch === shard.epoch + 1) {
    await deps.raiseEpoch(shard.name, shard.epoch);
    return undefined;
  }
  const instance = probe?.writerInstance;
  if (probe?.ok !== true || instance === undefined || known.epoch !== shard.epoch) return undefined;
  if (instance === known.instance || !isAfter(probe, record, policy)) return undefined;
  const detectedAt = record.state === 'suspect' || record.state === 'held' ? record.since : undefined;
  const next = recordEngine(record, { instance, epoch: shard.epoch + 1, detectedAt }, moment);
  const saved = await deps.store.save(next);
  if (saved !== undefined) await deps.raiseEpoch(shard.name, shard.epoch);
  return saved ?? record;
}
