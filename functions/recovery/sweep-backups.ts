import type { Logger } from '@aws-lambda-powertools/logger';
import type { BackupCatalog, NeededSweep } from './catalog/backup-catalog.ts';
import type { BackupRecord } from './catalog/backup-record.ts';
import type { ChunkCatalog } from './catalog/chunk-catalog.ts';
import type { Clock } from './clock.ts';
import type { BackupId } from './ids.ts';
import type { Bucket } from './objects/bucket.ts';
import { backupPrefix, manifestKey } from './objects/object-keys.ts';
import { exists, type Removal, removePrefix } from './objects/remove-prefix.ts';

export interface SweepDependencies {
  readonly catalog: BackupCatalog;
  readonly chunks: (backupId: BackupId) => ChunkCatalog;
  readonly bucket: Bucket;
  readonly clock: Clock;
  /** Milliseconds until this invocation ends. */
  readonly remainingMs: () => number;
  readonly log: Logger;
  /** Called when a deleted backup's objects are gone. */
  readonly onDeleted: (record: BackupRecord) => Promise<void>;
}

export interface SweepResult extends Removal {
  readonly swept: BackupId[];
}

/** Functions that notice that their backup has ended stop within this time. */
const settleMs = 10_000;
/** Kept back to end in order. */
const endMs = 20_000;

/**
 * Removes what deleted, failed and canceled backups left: of the one given, or of all that are waiting for it. A backup
 * with a manifest is never touched, unless it is being deleted; then its manifest goes first. What does not
 * get done in time, and what functions that were not stopped store later, is done by a later run.
 */
export async function sweepBackups(deps: SweepDependencies, only?: BackupId): Promise<SweepResult> {
  const { catalog } = deps;
  const swept: BackupId[] = [];
  const result = { swept, objectsRemoved: 0, uploadsAborted: 0, remaining: false };
  const wanted =
    only === undefined ? catalog.sweepsNeeded() : [(await catalog.sweepOf(only)) ?? { id: only, until: 0 }];
  for await (const sweep of wanted) {
    const removal = await sweepOne(deps, sweep);
    result.objectsRemoved += removal.objectsRemoved;
    result.uploadsAborted += removal.uploadsAborted;
    result.remaining ||= removal.remaining;
    if (!removal.remaining) swept.push(sweep.id);
  }
  return result;
}

async function sweepOne(deps: SweepDependencies, { id, until }: NeededSweep): Promise<Removal> {
  const { catalog, bucket, log, clock } = deps;
  const nothing = { objectsRemoved: 0, uploadsAborted: 0, remaining: false };
  const record = await catalog.get(id);
  const state = record?.state ?? 'deleted';
  if (state === 'queued' || state === 'running' || state === 'completed') return nothing;
  const hasTime = () => deps.remainingMs() > endMs;
  if (state === 'deleting') {
    await removePrefix(bucket, manifestKey(id), hasTime);
  } else if (await exists(bucket, manifestKey(id))) {
    log.error('A backup that is none has a manifest; it is left alone', { backupId: id, state });
    await catalog.sweepDone(id);
    return nothing;
  }
  const removal = await removePrefix(bucket, backupPrefix(id), hasTime);
  if (removal.remaining) return removal;
  await deps.chunks(id).removeAll();
  if (record !== undefined && state === 'deleting') {
    await deps.onDeleted(record);
    await catalog.remove(id);
  }
  if (until > clock.now()) {
    const late = await lookAgain(deps, id, hasTime);
    log.info('Swept; looked at again later, because a function may still be running', { backupId: id });
    return {
      objectsRemoved: removal.objectsRemoved + late.objectsRemoved,
      uploadsAborted: removal.uploadsAborted + late.uploadsAborted,
      remaining: true,
    };
  }
  await catalog.sweepDone(id);
  return removal;
}

/** Removes what was stored while functions were about to notice that the backup has ended. */
async function lookAgain(deps: SweepDependencies, id: BackupId, hasTime: () => boolean): Promise<Removal> {
  if (deps.remainingMs() > endMs + settleMs) await deps.clock.sleep(settleMs);
  return removePrefix(deps.bucket, backupPrefix(id), hasTime);
}
