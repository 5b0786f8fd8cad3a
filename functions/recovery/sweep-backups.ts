import type { Logger } from '@aws-lambda-powertools/logger';
import type { BackupCatalog, NeededSweep } from './catalog/backup-catalog.ts';
import type { BackupRecord } from './catalog/backup-record.ts';
import type { ChunkCatalog } from './catalog/chunk-catalog.ts';
import { releaseReferences } from './catalog/release-references.ts';
import type { Clock } from './clock.ts';
import { type SweepExpiredDependencies, sweepExpired } from './expiry/sweep-expired.ts';
import type { BackupId } from './ids.ts';
import { failAbandoned } from './import/abandoned.ts';
import { backupPrefix, manifestKey, uploadKey, workPrefix } from './objects/object-keys.ts';
import { exists, noRemoval as nothing, type Removal, removePrefix } from './objects/remove-prefix.ts';
import { stragglersUntil } from './stragglers.ts';

export interface SweepDependencies extends SweepExpiredDependencies {
  readonly chunks: (backupId: BackupId) => ChunkCatalog;
  readonly clock: Clock;
  /** Milliseconds until this invocation ends. */
  readonly remainingMs: () => number;
  readonly log: Logger;
  /** Settles what the re-encryption of a completed backup has left, and the note of the sweep with it. */
  readonly sweepReencrypted: (
    record: BackupRecord,
    needed: NeededSweep | undefined,
    hasTime: () => boolean,
  ) => Promise<Removal>;
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
 * Removes what deleted, expired, failed and canceled backups left: of the one given, or of all that are waiting for it. A
 * backup with a manifest is never touched, unless it is being deleted, when its manifest goes first, or has expired; then
 * what newer backups refer to stays; or was re-encrypted, then what its manifest names stays. What does not get done in time, what is still locked, and what functions that were
 * not stopped store later, is done by a later run.
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
  if (record !== undefined && (await failAbandoned(catalog, record, clock.now()))) {
    return sweepOne(deps, id, needed);
  }
  const state = record?.state ?? 'deleted';
  if (state === 'queued' || state === 'running') return nothing;
  const hasTime = () => deps.remainingMs() > endMs;
  if (record !== undefined && state === 'completed') {
    // Noted before it is due: what it is about may only be beginning.
    if (needed !== undefined && needed.until > clock.now()) return { ...nothing, remaining: true };
    if (record.reencrypting !== undefined) return deps.sweepReencrypted(record, needed, hasTime);
    await catalog.sweepDone(id, needed);
    return nothing;
  }
  if (record !== undefined && state === 'expired') {
    const removal = await sweepExpired(deps, record, hasTime);
    return removal.remaining ? removal : both(removal, await sweepOne(deps, id, needed));
  }
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
  for (const prefix of prefixesOf(id, record)) {
    removal = both(removal, await removePrefix(bucket, prefix, hasTime));
  }
  if (removal.remaining) return removal;
  await deps.chunks(id).removeAll();
  if (record !== undefined) await releaseReferences(catalog, record);
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

/** Where a backup may have left something. */
const prefixesOf = (id: BackupId, record: BackupRecord | undefined): string[] =>
  record?.type === 'import' ? [backupPrefix(id), uploadKey(id), workPrefix(id)] : [backupPrefix(id)];

/** Stopping an execution does not stop a commit that has begun: without its objects, its manifest would promise too much. */
const mayBeCommitting = (record: BackupRecord | undefined, now: number): boolean =>
  record?.committingAt !== undefined && now < stragglersUntil(Date.parse(record.committingAt));

/** Removes what was stored while functions were about to notice that the backup has ended. */
async function lookAgain(deps: SweepDependencies, id: BackupId, hasTime: () => boolean): Promise<Removal> {
  if (deps.remainingMs() > endMs + settleMs) await deps.clock.sleep(settleMs);
  return removePrefix(deps.bucket, backupPrefix(id), hasTime);
}
