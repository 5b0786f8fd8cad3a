import { decide } from './decision.ts';
import type { Decision, FailoverRequest } from './decision-model.ts';
import type { GlobalDatabase } from './discovery/global-database.ts';
import { ContendedRecordError } from './errors.ts';
import type { Decided } from './events.ts';
import type { Examination } from './examination.ts';
import type { DatabaseInstance } from './model.ts';
import { observe, refuse } from './observe.ts';
import { claim } from './operation-record.ts';
import type { FailoverInput } from './phases/events.ts';
import { type FailoverPolicy, policyOf } from './policy.ts';
import { type FailoverRecord, newRecord, type Operation } from './record.ts';
import type { FailoverStore, RoutedShard } from './store.ts';
import type { Moment } from './transition.ts';

/** How often it is decided anew when somebody else has changed the record meanwhile. */
const maximumRounds = 4;

export interface AttemptDependencies {
  readonly store: Pick<FailoverStore, 'know' | 'save' | 'record' | 'shard'>;
  readonly policy: FailoverPolicy;
  /** Looks at a shard from inside the network. */
  readonly examine: (shard: RoutedShard, instances: readonly DatabaseInstance[]) => Promise<Examination>;
  /** Who writes in a global database, and who could. */
  readonly describeGlobal: (globalClusterIdentifier: string) => Promise<GlobalDatabase>;
  /** Starts the workflow; the same name again starts nothing. */
  readonly start: (name: string, input: FailoverInput) => Promise<void>;
  readonly now: () => number;
}

/** Who asks, and why. */
export interface Asked extends FailoverRequest {
  readonly reason: string;
  readonly requestId?: string;
  readonly requestedBy?: string;
  readonly dryRun?: boolean;
}

/**
 * Decides about one shard and, where it is to be done, claims it by one conditional write and starts the workflow. Whoever comes
 * second finds that it is in progress. A crash after the claim leaves what the watchdog starts.
 *
 * @returns nothing where there is no such shard.
 * @throws DependencyError, ContendedRecordError
 */
export async function attempt(
  deps: AttemptDependencies,
  shard: string,
  asked: Asked,
  traceparent: string,
): Promise<Decided | undefined> {
  const { store, now } = deps;
  const policy = policyOf(deps.policy, shard);
  const askedAt = new Date(now()).toISOString();
  let examined: { readonly epoch: number; readonly examination: Examination } | undefined;
  for (let round = 0; ; round++) {
    const known = await store.know(shard);
    if (known === undefined) return undefined;
    const moment: Moment = { now: now(), traceparent };
    const before = known.record ?? newRecord(shard, new Date(moment.now).toISOString());
    const repeated = repeatedRequest(before, asked);
    if (repeated !== undefined) return { shard, outcome: 'started', ...repeated };
    const record = observe(before, known.probe, known.shard, policy, moment);
    const { globalClusterIdentifier } = policy;
    const global =
      globalClusterIdentifier === undefined ? undefined : await deps.describeGlobal(globalClusterIdentifier);
    const consider = (examination?: Examination) =>
      decide({ ...known, record, examination, global, request: asked, policy, now: now() });
    let decision = consider(examined?.epoch === known.shard.epoch ? examined.examination : undefined);
    if (decision.kind === 'examine') {
      const examination = await deps.examine(known.shard, known.instances?.instances ?? []);
      examined = { epoch: known.shard.epoch, examination };
      decision = consider(examination);
    }
    if (asked.dryRun === true || decision.kind === 'examine') return describe(shard, decision, 'would-start');
    const decidedAt: Moment = { now: now(), traceparent };
    const next =
      decision.kind === 'act'
        ? claim(
            record,
            decision,
            asked,
            known.shard,
            {
              detectedAt: (known.probe?.ok === false ? known.probe.firstFailureAt : undefined) ?? askedAt,
              writerReachable: isReachable(decision.writerInstance, examined?.examination),
              globalClusterIdentifier,
            },
            decidedAt,
          )
        : asked.trigger === 'request' || isFalseAlarm(record, decision)
          ? record
          : refuse(record, decision, decidedAt);
    const saved = next === before ? before : await store.save(next);
    if (saved === undefined) {
      if (round + 1 < maximumRounds) continue;
      // Nothing was to be done, and why not somebody else has written.
      if (decision.kind === 'nothing') return describe(shard, decision, 'started');
      throw new ContendedRecordError(`The record of ${shard} is changed by others all the time.`);
    }
    if (decision.kind === 'act' && saved.operation !== undefined) {
      await deps.start(saved.operation.name, inputOf(shard, saved.operation));
    }
    return describe(shard, decision, 'started', saved.operation?.toEpoch);
  }
}

/** What the workflow of an operation is given, however often it is started. */
export const inputOf = (shard: string, operation: Operation): FailoverInput => ({
  shard,
  traceparent: operation.traceparent,
  operation,
});

/** A request that was cut short after it had been claimed comes again under its id. */
function repeatedRequest(
  { operation, last, state }: FailoverRecord,
  { requestId }: Asked,
): Pick<Decided, 'target' | 'epoch'> | undefined {
  if (requestId === undefined) return undefined;
  if (state === 'failing_over' && operation?.requestId === requestId) {
    return { target: operation.target.instance, epoch: operation.toEpoch };
  }
  if (last?.requestId !== requestId) return undefined;
  return { epoch: last.toEpoch, ...(last.target !== undefined && { target: last.target }) };
}

/** A shard that is well stays so, whoever has called. */
const isFalseAlarm = ({ state }: FailoverRecord, decision: Decision): boolean =>
  decision.kind === 'nothing' &&
  decision.code === 'writer-answers' &&
  (state === 'healthy' || state === 'failed_over');

/** Whether the old writer is worth being fenced for long: a proxy or a host that answers for it is not. */
function isReachable(writer: string | undefined, examination: Examination | undefined): boolean {
  const finding = examination?.instances.find(({ instance }) => instance === writer);
  return finding?.reachable ?? examination?.writer.heard ?? false;
}

function describe(
  shard: string,
  decision: Decision,
  acting: 'started' | 'would-start',
  epoch?: number,
): Decided {
  if (decision.kind === 'examine') return { shard, outcome: 'nothing-to-do' };
  if (decision.kind === 'act') {
    const { target, lagBytes } = decision;
    return {
      ...{ shard, outcome: acting, target: target.instance, lagBytes },
      ...(epoch !== undefined && { epoch }),
    };
  }
  const { code, reason, lagBytes } = decision;
  return { shard, outcome: 'refused', code, reason, ...(lagBytes !== undefined && { lagBytes }) };
}
