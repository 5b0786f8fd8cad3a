import type { Shard } from '../shared/shards.ts';
import type { ProbeRecord, ShardInstances } from './model.ts';
import { type FailoverPolicy, policyOf } from './policy.ts';
import type { FailoverRecord, Outcome } from './record.ts';
import type { ShardStatus } from './status-model.ts';
import { writerInstanceOf } from './writer-instance.ts';

/** What the API says of one shard. */
export function statusOf(
  shard: Shard,
  policy: FailoverPolicy,
  known: {
    readonly record: FailoverRecord | undefined;
    readonly probe: ProbeRecord | undefined;
    readonly instances: ShardInstances | undefined;
  },
): ShardStatus {
  const { record, probe, instances } = known;
  const { action, automatic } = policyOf(policy, shard.name);
  const { operation, last } = record ?? {};
  const writer = writerInstanceOf({ shard, record, probe, instances });
  return {
    shard: shard.name,
    state: stateOf(record),
    since: record?.since ?? null,
    reason: record?.reason ?? null,
    ...{ action, automatic },
    paused: record?.paused ?? null,
    cooldownUntil: record?.cooldownUntil ?? null,
    epoch: shard.epoch,
    writer: { ...shard.writer, instance: writer ?? null },
    consecutiveFailures: probe?.consecutiveFailures ?? 0,
    lastProbe:
      probe === undefined
        ? null
        : {
            at: probe.at,
            ok: probe.ok,
            latencyMs: probe.latencyMs ?? null,
            reason: probe.reason ?? null,
            cutOff: probe.cutOff,
          },
    readers: (probe?.readers ?? []).map(({ instance, reachable, streaming, lagBytes, lagSeconds }) => ({
      ...{ instance, reachable, streaming },
      lagBytes: lagBytes ?? null,
      lagSeconds: lagSeconds ?? null,
    })),
    otherWriters: probe?.otherWriters ?? [],
    fenced: probe?.fenced ?? [],
    operation:
      operation === undefined
        ? null
        : {
            kind: operation.kind,
            trigger: operation.trigger,
            reason: operation.reason,
            target: operation.target.instance,
            toEpoch: operation.toEpoch,
            decidedAt: operation.decidedAt,
            lagBytes: operation.lagBytes,
          },
    lastFailover: last === undefined ? null : lastOf(last),
  };
}

/** A pause shows where nothing else is more urgent. */
function stateOf(record: FailoverRecord | undefined): ShardStatus['state'] {
  if (record === undefined) return 'healthy';
  const { state, paused } = record;
  return paused !== undefined && state !== 'failing_over' && state !== 'held' ? 'paused' : state;
}

function lastOf(last: Outcome): NonNullable<ShardStatus['lastFailover']> {
  const { kind, trigger, result, reason, fromEpoch, toEpoch, rtoMs, rpoBytes, timeline } = last;
  const { detectedAt, decidedAt, promotedAt, firstWriteAt, concludedAt } = timeline;
  return {
    ...{ kind, trigger, result, reason, fromEpoch, toEpoch, rtoMs, rpoBytes },
    error: last.error ?? null,
    from: last.from ?? null,
    target: last.target ?? null,
    timeline: {
      ...{ detectedAt, concludedAt },
      decidedAt: decidedAt ?? null,
      promotedAt: promotedAt ?? null,
      firstWriteAt: firstWriteAt ?? null,
    },
    durations: {
      detectionMs: between(detectedAt, decidedAt),
      promotionMs: between(decidedAt, promotedAt),
      firstWriteMs: between(promotedAt, firstWriteAt),
    },
  };
}

function between(from: string | undefined, to: string | undefined): number | null {
  return from === undefined || to === undefined ? null : Math.max(0, Date.parse(to) - Date.parse(from));
}
