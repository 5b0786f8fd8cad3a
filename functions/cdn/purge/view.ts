import type { Purge } from './model.ts';
import { verdict } from './prove.ts';
import type { PurgeRecord } from './record.ts';

/** A purge as the API shows it. */
export function showPurge(record: PurgeRecord): Purge {
  const { id, state, stage, trigger, provider, target, counts, calls, submitted, open, checks } = record;
  const { createdAt, submittedAt = null, purgedAt = null, verifiedAt, finishedAt = null } = record;
  return {
    ...{ id, state, stage, trigger, provider, createdAt, submittedAt, purgedAt, finishedAt },
    target: { kind: target.kind, id: target.id, domain: target.domain },
    items: counts,
    progress: { calls, submitted, completed: submitted - open.length },
    verification:
      checks === undefined
        ? null
        : { state: verdict(checks), checks: checks.map(({ address: _, ...check }) => check) },
    warmingId: record.warmingId ?? null,
    durations: {
      queuedMs: between(createdAt, submittedAt),
      purgeMs: between(submittedAt, purgedAt),
      verifyMs: between(purgedAt, verifiedAt ?? null),
      rewarmMs: record.warmingId === undefined ? null : between(verifiedAt ?? purgedAt, finishedAt),
    },
    requestedBy: record.requestedBy ?? null,
    error: record.error ?? null,
  };
}

const between = (from: string | null, to: string | null): number | null =>
  from === null || to === null ? null : Math.max(0, Date.parse(to) - Date.parse(from));
