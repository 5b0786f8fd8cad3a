import type { Decision } from './decision-model.ts';
import { isFlapping } from './flapping.ts';
import type { ProbeRecord } from './model.ts';
import { type ShardPolicy, staleAfterMs } from './policy.ts';
import type { FailoverRecord, FailoverState, Outcome } from './record.ts';
import { earlier, enter, forgetAttempts, iso, type Moment, tell } from './transition.ts';

/** What the last probe says of a shard that is not being acted on. */
export function observe(
  record: FailoverRecord,
  probe: ProbeRecord | undefined,
  shard: { readonly epoch: number },
  policy: ShardPolicy,
  moment: Moment,
): FailoverRecord {
  if (record.state === 'failing_over' || probe === undefined || probe.cutOff) return record;
  const { now } = moment;
  if (now - Date.parse(probe.at) > staleAfterMs(policy)) return record;
  if (!probe.ok) {
    if (record.state === 'held' || record.state === 'suspect' || probe.consecutiveFailures === 0)
      return record;
    // What it says of a shard that has got another writer since, it says of the one before.
    if (record.state === 'failed_over' && !isAfter(probe, record, policy)) return record;
    const reason = probe.reason ?? 'The writer did not answer the last probe.';
    return tell(enter(record, 'suspect', moment, reason), 'suspected', moment, reason);
  }
  if (!isAfter(probe, record, policy)) return record;
  const seen = rememberWriter(record, probe, shard);
  if (record.state === 'healthy') return seen;
  if (record.state === 'failed_over') {
    const cooling = record.cooldownUntil !== undefined && now < Date.parse(record.cooldownUntil);
    return cooling ? seen : enter(seen, 'healthy', moment);
  }
  if (record.state === 'held' && isFlapping(probe, policy, now)) return seen;
  return recover(seen, moment);
}

/** Whether a probe began after the shard's present state did: what it found before says nothing about it. */
export function isAfter(
  probe: ProbeRecord,
  record: FailoverRecord,
  { probeTimeoutMs }: Pick<ShardPolicy, 'probeTimeoutMs'>,
): boolean {
  return record.version === 0 || Date.parse(probe.at) - probeTimeoutMs > Date.parse(record.since);
}

/** The writer answers: nothing is wrong any more, and what was begun and not finished is over. */
function recover(record: FailoverRecord, moment: Moment): FailoverRecord {
  const { operation: _, ...rest } = record;
  const reason = 'The writer answers.';
  return tell(enter(forgetAttempts(rest), 'healthy', moment), 'recovered', moment, reason);
}

function rememberWriter(
  record: FailoverRecord,
  { writerInstance }: ProbeRecord,
  { epoch }: { readonly epoch: number },
): FailoverRecord {
  const known = record.knownWriter;
  if (writerInstance === undefined) return record;
  if (known?.instance === writerInstance && known.epoch === epoch) return record;
  // The same epoch and another instance: that is the engine's doing, which is told before it is remembered.
  if (known !== undefined && known.epoch >= epoch) return record;
  return { ...record, knownWriter: { instance: writerInstance, epoch } };
}

/** Nothing was done about a writer that is said not to serve: why is remembered, and told where a person has to act. */
export function refuse(
  record: FailoverRecord,
  decision: Extract<Decision, { kind: 'nothing' }>,
  moment: Moment,
): FailoverRecord {
  const { code, hold } = decision;
  const reason = decision.reason.slice(0, 500);
  if (record.state === 'failing_over') return record;
  const to: FailoverState = hold
    ? 'held'
    : record.state === 'held' && code !== 'writer-answers'
      ? 'held'
      : 'suspect';
  if (record.state === to) return record.reason === reason ? record : { ...record, reason };
  const next = enter(record, to, moment, reason);
  return tell(next, to === 'held' ? 'held' : 'suspected', moment, reason);
}

/**
 * The engine has made another instance the writer by itself. This is written before the epoch is raised: what is cut short in
 * between is seen by a known writer of an epoch that has not begun.
 *
 * @param found `epoch` is the one that begins with it.
 */
export function recordEngine(
  record: FailoverRecord,
  found: { readonly instance: string; readonly epoch: number; readonly detectedAt: string | undefined },
  moment: Moment,
): FailoverRecord {
  const { operation: _, cooldownUntil: __, ...rest } = record;
  const from = record.knownWriter?.instance;
  const reason = `The engine made ${found.instance} the writer${from === undefined ? '' : ` in place of ${from}`}.`;
  const at = iso(moment.now);
  const last: Outcome = {
    ...{ kind: 'failover', trigger: 'engine', result: 'completed', reason },
    fromEpoch: found.epoch - 1,
    toEpoch: found.epoch,
    ...(from !== undefined && { from }),
    target: found.instance,
    timeline: { detectedAt: earlier(found.detectedAt, at), concludedAt: at },
    rtoMs: null,
    rpoBytes: null,
  };
  const next: FailoverRecord = {
    ...enter(rest, 'failed_over', moment, reason),
    last,
    knownWriter: { instance: found.instance, epoch: found.epoch },
  };
  const about = { ...last, target: { instance: found.instance }, from: { instance: from } };
  return tell(next, 'completed', moment, reason, undefined, about, last);
}
