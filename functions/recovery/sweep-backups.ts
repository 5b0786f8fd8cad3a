import type { Logger } from '@aws-lambda-powertools/logger';
import type { BackupCatalog } from './catalog/backup-catalog.ts';
import type { BackupRecord } from './catalog/backup-record.ts';
import type { ChunkCatalog } from './catalog/chunk-catalog.ts';
import type { Clock } from './clock.ts';
import { type BackupId, backupIdSchema } from './ids.ts';
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

/** An invocation that outlived its backup may store something for as long as a function can run. */
const stragglerMs = 16 * 60_000;
/** Kept back to end in order. */
const endMs = 20_000;

/**
 * Removes what deleted, failed and canceled backups left: of the one given, or of all that are waiting for it. A backup
 * with a manifest is never touched, unless it is being deleted; then its manifest goes first. What does not
 * get done in time is done by the next run.
 */
export async function sweepBackups(deps: SweepDependencies, only?: BackupId): Promise<SweepResult> {
  const swept: BackupId[] = [];
  const result = { swept, objectsRemoved: 0, uploadsAborted: 0, remaining: false };
  for await (const id of only === undefined ? waiting(deps.catalog) : [only]) {
    const removal = await sweepOne(deps, id);
    result.objectsRemoved += removal.objectsRemoved;
    result.uploadsAborted += removal.uploadsAborted;
    result.remaining ||= removal.remaining;
    if (!removal.remaining) swept.push(id);
  }
  return result;
}

async function* waiting(catalog: BackupCatalog): AsyncGenerator<BackupId> {
  for await (const id of catalog.sweepsNeeded()) yield backupIdSchema.parse(id);
}

async function sweepOne(deps: SweepDependencies, id: BackupId): Promise<Removal> {
  const { catalog, bucket, log } = deps;
  const nothing = { objectsRemoved: 0, uploadsAborted: 0, remaining: false };
  const record = await catalog.get(id);
  if (record === undefined) {
    await catalog.sweepDone(id);
    return nothing;
  }
  const { state } = record;
  if (state !== 'deleting' && state !== 'failed' && state !== 'canceled') return nothing;
  const hasTime = () => deps.remainingMs() > endMs;
  if (state === 'deleting') {
    await removePrefix(bucket, manifestKey(id), hasTime);
  } else if (await exists(bucket, manifestKey(id))) {
    log.error('A backup that has ended as failed has a manifest; it is left alone', { backupId: id });
    await catalog.sweepDone(id);
    return nothing;
  }
  const removal = await removePrefix(bucket, backupPrefix(id), hasTime);
  if (removal.remaining) return removal;
  await deps.chunks(id).removeAll();
  if (state === 'deleting') {
    await deps.onDeleted(record);
    await catalog.remove(id);
    await catalog.sweepDone(id);
  } else if (mayHaveStragglers(record, deps.clock.now())) {
    log.info('Swept; looked at again later, because a function may still be running', { backupId: id });
    return { ...removal, remaining: true };
  } else {
    await catalog.sweepDone(id);
  }
  return removal;
}

const mayHaveStragglers = ({ finishedAt }: BackupRecord, now: number): boolean =>
  finishedAt !== undefined && now - Date.parse(finishedAt) < stragglerMs;
