import type { Decision, FailoverRequest } from './decision-model.ts';
import type { Address } from './model.ts';
import type { ShardPolicy } from './policy.ts';
import type { FailoverRecord, Operation, Outcome } from './record.ts';
import { earlier, enter, iso, type Moment, tell } from './transition.ts';

/** Decided: the one who writes this acts. */
export function claim(
  record: FailoverRecord,
  decision: Extract<Decision, { kind: 'act' }>,
  request: FailoverRequest & {
    readonly reason: string;
    readonly requestId?: string;
    readonly requestedBy?: string;
  },
  shard: {
    readonly epoch: number;
    readonly writer: Address;
    readonly clusterIdentifier: string;
    readonly database: string;
  },
  facts: {
    readonly detectedAt: string | undefined;
    readonly writerReachable: boolean;
    readonly globalClusterIdentifier?: string | undefined;
  },
  moment: Moment,
): FailoverRecord & { readonly operation: Operation } {
  const { epoch } = shard;
  const before = record.attempts?.epoch === epoch ? record.attempts : { count: 0, automatic: 0 };
  const count = before.count + 1;
  const toEpoch = epoch + 1;
  const { requestId, requestedBy, acceptedLoss, kind, trigger } = request;
  const reason = request.reason.slice(0, 500);
  const decidedAt = iso(moment.now);
  const operation: Operation = {
    name: `${record.shard}-${toEpoch}${count === 1 ? '' : `-${count}`}`,
    ...(requestId !== undefined && { requestId }),
    ...(requestedBy !== undefined && { requestedBy }),
    ...(acceptedLoss !== undefined && { acceptedLoss }),
    ...(facts.globalClusterIdentifier !== undefined && {
      globalClusterIdentifier: facts.globalClusterIdentifier,
    }),
    ...{ kind, trigger, reason, action: decision.action },
    clusterIdentifier: shard.clusterIdentifier,
    database: shard.database,
    fromEpoch: epoch,
    toEpoch,
    from: {
      ...shard.writer,
      ...(decision.writerInstance !== undefined && { instance: decision.writerInstance }),
    },
    target: decision.target,
    ...(decision.moved === true && { moved: true }),
    writer: decision.writer,
    writerReachable: facts.writerReachable,
    lagBytes: decision.lagBytes,
    detectedAt: earlier(facts.detectedAt, decidedAt),
    decidedAt,
    traceparent: moment.traceparent,
  };
  const next = {
    ...enter(record, 'failing_over', moment, reason),
    operation,
    attempts: { epoch, count, automatic: before.automatic + (trigger === 'request' ? 0 : 1) },
  };
  return { ...tell(next, 'started', moment, reason, requestedBy, operation), operation };
}

/** The shard map has moved: the platform writes to the new writer. */
export function complete(
  record: FailoverRecord & { readonly operation: Operation },
  marks: { readonly promotedAt?: string | undefined; readonly firstWriteAt?: string | undefined },
  policy: Pick<ShardPolicy, 'cooldownMinutes'>,
  moment: Moment,
): FailoverRecord {
  const { operation, knownWriter: _, ...rest } = record;
  const last = outcomeOf(operation, 'completed', marks, moment);
  const { target, toEpoch, action } = operation;
  const next: FailoverRecord = {
    ...enter(rest, 'failed_over', moment, operation.reason),
    last,
    cooldownUntil: iso(moment.now + policy.cooldownMinutes * 60_000),
    // Of a global database a cluster was chosen: which of its instances writes, the next probe sees.
    ...(action !== 'global' && { knownWriter: { instance: target.instance, epoch: toEpoch } }),
  };
  return tell(next, 'completed', moment, operation.reason, operation.requestedBy, operation, last);
}

/**
 * It could not be finished. Unless everything is as it was before, it is held: what it was about to do stays, so that nothing
 * else is promoted beside it.
 */
export function fail(
  record: FailoverRecord & { readonly operation: Operation },
  failure: { readonly error: string; readonly unharmed: boolean },
  moment: Moment,
): FailoverRecord {
  const { operation } = record;
  const error = failure.error.slice(0, 500);
  const last = { ...outcomeOf(operation, 'failed', {}, moment), error };
  if (failure.unharmed) {
    const { operation: _, ...rest } = record;
    const next = { ...enter(rest, 'healthy', moment, error), last };
    return tell(next, 'recovered', moment, error, operation.requestedBy, operation);
  }
  const next = { ...enter(record, 'held', moment, error), last };
  return tell(next, 'held', moment, error, operation.requestedBy, operation);
}

function outcomeOf(
  operation: Operation,
  result: Outcome['result'],
  marks: { readonly promotedAt?: string | undefined; readonly firstWriteAt?: string | undefined },
  { now }: Moment,
): Outcome {
  const { kind, trigger, reason, fromEpoch, toEpoch, from, target, detectedAt, decidedAt } = operation;
  const { requestId, requestedBy, lagBytes } = operation;
  const { promotedAt, firstWriteAt } = marks;
  return {
    ...{ kind, trigger, result, reason, fromEpoch, toEpoch, target: target.instance },
    ...(requestId !== undefined && { requestId }),
    ...(requestedBy !== undefined && { requestedBy }),
    ...(from.instance !== undefined && { from: from.instance }),
    timeline: {
      detectedAt,
      decidedAt,
      ...(promotedAt !== undefined && { promotedAt }),
      ...(firstWriteAt !== undefined && { firstWriteAt }),
      concludedAt: iso(now),
    },
    rtoMs: firstWriteAt === undefined ? null : Math.max(0, Date.parse(firstWriteAt) - Date.parse(detectedAt)),
    rpoBytes: result === 'completed' ? (kind === 'switchover' ? 0 : lagBytes) : null,
  };
}
