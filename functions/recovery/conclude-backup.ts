import * as z from 'zod';
import type { BackupCatalog } from './catalog/backup-catalog.ts';
import type { BackupRecord } from './catalog/backup-record.ts';
import type { ChunkCatalog } from './catalog/chunk-catalog.ts';
import type { ComponentCatalog } from './catalog/component-catalog.ts';
import type { Failures } from './catalog/failures.ts';
import type { ShardLocks } from './catalog/shard-locks.ts';
import type { SnapshotStore } from './catalog/snapshot-store.ts';
import { type Clock, isoTime } from './clock.ts';
import { readComponentProgress } from './component-progress.ts';
import type { BackupId, ShardName } from './ids.ts';
import type { Failure } from './model.ts';
import { readProgress } from './read-progress.ts';
import { stragglersUntil } from './stragglers.ts';
import type { executionStatusEventSchema } from './workflow.ts';

/** How an execution ended, from its own Catch or from EventBridge. */
export interface ExecutionEnd {
  readonly name: string;
  /** Somebody stopped it. */
  readonly aborted: boolean;
  readonly failure: Failure;
}

export interface ConcludeDependencies {
  readonly catalog: BackupCatalog;
  readonly chunks: ChunkCatalog;
  readonly components: ComponentCatalog;
  readonly failures: Failures;
  readonly locks: ShardLocks;
  readonly snapshot: (shard: ShardName) => SnapshotStore;
  /** Has the leftovers removed soon; should that be lost, the next scheduled run finds them. */
  readonly startSweep: (backupId: BackupId) => Promise<void>;
  readonly clock: Clock;
}

/**
 * Ends a backup whose execution ended without completing it: releases its snapshots and its shards, notes how it
 * ended, and has what it stored removed. Hearing of the same end twice is fine.
 *
 * @returns the record as it ended now; nothing when it had ended before.
 */
export async function concludeBackup(
  deps: ConcludeDependencies,
  record: BackupRecord,
  end: ExecutionEnd,
): Promise<BackupRecord | undefined> {
  const { catalog, clock } = deps;
  const { id, shards } = record;
  if (record.state === 'completed' || record.state === 'deleting') return undefined;
  for (const shard of shards) await deps.snapshot(shard).release();
  const state = record.cancelRequested || end.aborted ? 'canceled' : 'failed';
  const { progress, shardDetails, rows } = await readProgress(deps.chunks, record, clock.now());
  const error = await deps.failures.explain(end.failure);
  const outcome = {
    finishedAt: isoTime(clock.now()),
    progress: { ...progress, etaMs: null },
    shardDetails,
    ...(await readComponentProgress(deps.components, record.components)),
    rows,
    sizeBytes: progress.bytesStored,
    ...(state === 'failed' ? { error } : {}),
  };
  await deps.locks.release(id, shards);
  await catalog.sweepNeeded(id, stragglersUntil(clock.now()));
  // Last but one: whoever concludes is heard of once, and only what cannot fail may follow.
  const ended = await catalog.end(id, state, outcome);
  await deps.startSweep(id).catch(() => undefined);
  return ended ? { ...record, ...outcome, state } : undefined;
}

/** What Lambda reports as the cause of an error that a function threw. */
const lambdaCause = z.looseObject({ errorType: z.string(), errorMessage: z.string() });

/** Reads an error as a workflow reports it. */
export function failureOfExecution(
  error: string | null | undefined,
  cause: string | null | undefined,
): Failure {
  const parsed = lambdaCause.safeParse(parseJson(cause ?? ''));
  if (parsed.success) return { code: parsed.data.errorType, message: parsed.data.errorMessage };
  return { code: error || 'ExecutionFailed', message: cause || 'The workflow ended without saying why.' };
}

/** Reads EventBridge's report. */
export function endOfReport({ detail }: z.output<typeof executionStatusEventSchema>): ExecutionEnd {
  const failure =
    detail.status === 'TIMED_OUT'
      ? { code: 'States.Timeout', message: 'The workflow took longer than it may.' }
      : failureOfExecution(detail.error, detail.cause);
  return { name: detail.name, aborted: detail.status === 'ABORTED', failure };
}

/** @returns nothing when the text is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
