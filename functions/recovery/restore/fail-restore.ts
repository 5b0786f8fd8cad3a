import type { Failures } from '../catalog/failures.ts';
import { executionName, type RestoreCatalog } from '../catalog/restore-catalog.ts';
import type { RestoreRecord } from '../catalog/restore-record.ts';
import { type Clock, isoTime } from '../clock.ts';
import type { ExecutionEnd } from '../conclude-backup.ts';
import { RestoredDiffersError } from '../errors.ts';
import type { RestoreId } from '../ids.ts';

/** How long what a failed restore has restored is kept, so that it can be resumed, in milliseconds. */
export const resumableMs = 24 * 60 * 60 * 1000;

export interface FailRestoreDependencies {
  readonly restores: RestoreCatalog;
  readonly failures: Failures;
  readonly startDiscard: (id: RestoreId) => Promise<void>;
  readonly clock: Clock;
}

/**
 * Ends a restore whose execution ended without completing it. A canceled one and that of a drill are removed; a failed
 * one is kept for `resumableMs`. Hearing of the same end twice is fine, and of that of an earlier attempt.
 *
 * @returns the record as it ended now; nothing when it had ended before.
 */
export async function failRestore(
  { restores, failures, startDiscard, clock }: FailRestoreDependencies,
  record: RestoreRecord,
  end: ExecutionEnd,
): Promise<RestoreRecord | undefined> {
  if (record.state !== 'queued' && record.state !== 'running') return undefined;
  // An attempt before this one has ended; whoever resumed it was faster than the report.
  if (record.attempts > 1 && end.name !== executionName(record.id, record.attempts)) return undefined;
  const now = clock.now();
  const state = record.cancelRequested || end.aborted ? 'canceled' : 'failed';
  const keep = state === 'failed' && !record.dryRun && record.drill !== true;
  if (!record.dryRun) await restores.discardNeeded(record.id, keep ? now + resumableMs : now);
  const error = await failures.explain(end.failure);
  const outcome = {
    finishedAt: isoTime(now),
    ...(state === 'failed' ? { error } : {}),
    ...(keep ? { resumableUntil: isoTime(now + resumableMs) } : {}),
    ...(error.code === RestoredDiffersError.name ? { identical: false } : {}),
  };
  const ended = await restores.end(record, state, outcome);
  if (!keep && !record.dryRun) await startDiscard(record.id).catch(() => undefined);
  return ended ? { ...record, ...outcome, state } : undefined;
}
