import type { Logger } from '@aws-lambda-powertools/logger';
import type { BackupCatalog, NeededSweep } from './catalog/backup-catalog.ts';
import type { BackupRecord } from './catalog/backup-record.ts';
import type { ChunkCatalog } from './catalog/chunk-catalog.ts';
import type { Clock } from './clock.ts';
import type { BackupId } from './ids.ts';
import type { Bucket } from './objects/bucket.ts';
import { backupPrefix, manifestKey } from './objects/object-keys.ts';
import { exists, type Removal, removePrefix } from './objects/remove-prefix.ts';
import { stragglersUntil } from './stragglers.ts';

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
 * get done in time, what is still locked, and what functions that were not stopped store later, is done by a later run.
 *
 * @throws the first error, after all others had their turn.
 */
export async function sweepBackups(deps: SweepDependencies, only?: BackupId): Promise<SweepResult> {
  const { catalog } = deps;
  const swept: BackupId[] = [];
  const failures: unknown[] = [];
  let total = nothing;
  for await (const [id, needed] of only === undefined ? waiting(catalog) : [await single(catalog, only)]) {
    try {
      const removal = await sweepOne(deps, id, needed);
      total = both(total, removal);
      if (!removal.remaining) swept.push(id);
    } catch (error) {
      deps.log.warn('A backup could not be swept', { backupId: id, error });
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return { swept, ...total };
}

type Wanted = [BackupId, NeededSweep | undefined];

const single = async (catalog: BackupCatalog, id: BackupId): Promise<Wanted> => [
  id,
  await catalog.sweepOf(id),
];

async function* waiting(catalog: BackupCatalog): AsyncGenerator<Wanted> {
  for await (const needed of catalog.sweepsNeeded()) yield [needed.id, needed];
}

const nothing: Removal = { objectsRemoved: 0, uploadsAborted: 0, remaining: false };

const both = (one: Removal, other: Removal): Removal => ({
  objectsRemoved: one.objectsRemoved + other.objectsRemoved,
  uploadsAborted: one.uploadsAborted + other.uploadsAborted,
  remaining: one.remaining || other.remaining,
});

async function sweepOne(
  deps: SweepDependencies,
  id: BackupId,
  needed: NeededSweep | undefined,
): Promise<Removal> {
  const { catalog, bucket, log, clock } = deps;
  const record = await catalog.get(id);
  if (record === undefined && needed === undefined) return nothing;
  const state = record?.state ?? 'deleted';
  if (state === 'queued' || state === 'running') return nothing;
  if (state === 'completed') {
    await catalog.sweepDone(id);
    return nothing;
  }
  const hasTime = () => deps.remainingMs() > endMs;
  let removal = nothing;
  if (state === 'deleting' || state === 'deleted') {
    removal = await removePrefix(bucket, manifestKey(id), hasTime);
    if (removal.remaining) return removal;
  } else if (mayBeCommitting(record, clock.now())) {
    log.info('Left for later: a manifest of these objects may be on its way', { backupId: id });
    return { ...nothing, remaining: true };
  } else if (await exists(bucket, manifestKey(id))) {
    log.error('A backup that is none has a manifest; it is left alone', { backupId: id, state });
    await catalog.sweepDone(id);
    return nothing;
  }
  removal = both(removal, await removePrefix(bucket, backupPrefix(id), hasTime));
  if (removal.remaining) return removal;
  await deps.chunks(id).removeAll();
  if (record !== undefined && state === 'deleting') {
    await deps.onDeleted(record);
    await catalog.remove(id);
  }
  if (needed !== undefined && needed.until > clock.now()) {
    const late = await lookAgain(deps, id, hasTime);
    log.info('Swept; looked at again later, because a function may still be running', { backupId: id });
    return { ...both(removal, late), remaining: true };
  }
  await catalog.sweepDone(id);
  return removal;
}

/** Stopping an execution does not stop a commit that has begun: without its objects, its manifest would promise too much. */
const mayBeCommitting = (record: BackupRecord | undefined, now: number): boolean =>
  record?.committingAt !== undefined && now < stragglersUntil(Date.parse(record.committingAt));

/** Removes what was stored while functions were about to notice that the backup has ended. */
async function lookAgain(deps: SweepDependencies, id: BackupId, hasTime: () => boolean): Promise<Removal> {
  if (deps.remainingMs() > endMs + settleMs) await deps.clock.sleep(settleMs);
  return removePrefix(deps.bucket, backupPrefix(id), hasTime);
}
