import { NamedError } from '../../shared/named-error.ts';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import { type BackupRecord, notReencrypting } from '../catalog/backup-record.ts';
import type { ShardLocks } from '../catalog/shard-locks.ts';
import { isoTime } from '../clock.ts';
import { ReencryptionConflictError } from '../errors.ts';
import type { BackupId } from '../ids.ts';
import { stragglersUntil } from '../stragglers.ts';
import { daysAfter } from './calendar.ts';

/** Object Lock holds the backup: until then nobody deletes it. Nothing was changed. */
export class BackupLockedError extends NamedError {
  readonly lockedUntil: string;

  constructor(lockedUntil: string) {
    super(`Object Lock keeps the backup until ${lockedUntil}; it can be deleted then.`);
    this.lockedUntil = lockedUntil;
  }
}

/** Other backups refer to objects of this one. Nothing was changed. */
export class BackupReferredToError extends NamedError {
  readonly dependents: readonly BackupId[];

  constructor(dependents: readonly BackupId[]) {
    super(
      `Backups refer to objects of this one: delete them first, or let them expire: ${dependents.join(', ')}.`,
    );
    this.dependents = dependents;
  }
}

export interface DeleteDependencies {
  readonly catalog: BackupCatalog;
  readonly locks: ShardLocks;
  readonly clock: { now(): number };
  /** What the bucket locks each new object for, in days; 0: not at all. */
  readonly defaultLockDays: number;
}

/**
 * Begins to delete a backup that has ended; `sweep` removes what it stored.
 *
 * @returns whether it had ended.
 * @throws BackupLockedError, BackupReferredToError, ReencryptionConflictError, DependencyError
 */
export async function deleteBackup(
  deps: DeleteDependencies,
  startSweep: (id: BackupId) => Promise<void>,
  id: BackupId,
): Promise<boolean> {
  const { catalog, locks } = deps;
  const record = await catalog.get(id);
  if (record !== undefined) requireFree(deps, record);
  if (!(await catalog.beginDelete(id))) {
    const present = await catalog.get(id);
    if (present !== undefined) requireUnused(present);
    return false;
  }
  const { finishedAt, shards = [] } = (await catalog.get(id)) ?? {};
  // Its end may have been cut short; a lock whose backup is unknown counts for a while.
  await locks.release(id, shards);
  await catalog.sweepNeeded(id, finishedAt === undefined ? 0 : stragglersUntil(Date.parse(finishedAt)));
  // What is noted is found by the next scheduled run as well.
  await startSweep(id).catch(() => undefined);
  return true;
}

function requireFree({ clock, defaultLockDays }: DeleteDependencies, record: BackupRecord): void {
  if (record.state === 'queued' || record.state === 'running' || record.state === 'deleting') return;
  const { lockedUntil, finishedAt, createdAt } = record;
  const locks = [
    ...(lockedUntil === undefined ? [] : [Date.parse(lockedUntil)]),
    ...(defaultLockDays > 0 ? [daysAfter(Date.parse(finishedAt ?? createdAt), defaultLockDays)] : []),
  ];
  const until = Math.max(0, ...locks);
  if (until > clock.now()) throw new BackupLockedError(isoTime(until));
  requireUnused(record);
}

function requireUnused({ dependents, reencrypting = notReencrypting }: BackupRecord): void {
  if (dependents.length > 0) throw new BackupReferredToError(dependents);
  if (reencrypting !== notReencrypting) throw new ReencryptionConflictError(reencrypting);
}
