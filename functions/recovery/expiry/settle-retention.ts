import type { RuleStore } from '../automation/rule-store.ts';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import { isoTime } from '../clock.ts';
import type { BackupId } from '../ids.ts';
import { daysAfter } from './calendar.ts';
import { type CommittedManifest, type LockDependencies, lockObjects } from './lock-objects.ts';
import { promiseOf } from './promise.ts';

export interface SettleDependencies extends LockDependencies {
  readonly catalog: BackupCatalog;
  readonly rules: RuleStore;
  /** What the bucket locks each new object for, in days; 0: not at all. */
  readonly defaultLockDays: number;
}

/** Before a backup is completed: settles for how long it is kept. The first time counts. */
export async function settleKeeping(
  { catalog, rules, retention }: Pick<SettleDependencies, 'catalog' | 'rules' | 'retention'>,
  id: BackupId,
): Promise<void> {
  const record = await catalog.get(id);
  if (record?.state !== 'running' || record.keptBy !== undefined) return;
  const { rule } = await rules.get();
  await retention.promise(id, promiseOf(record, rule));
}

/**
 * After a backup was completed: locks what is to be locked. Doing it again changes nothing.
 *
 * @throws DependencyError: not all of it is locked yet.
 */
export async function settleLock(deps: SettleDependencies, stored: CommittedManifest): Promise<void> {
  const { backupId } = stored.manifest;
  const record = await deps.catalog.get(backupId);
  if (record === undefined) return;
  const { finishedAt, lockDays } = record;
  if (deps.defaultLockDays > 0 && finishedAt !== undefined) {
    const until = daysAfter(Date.parse(finishedAt), deps.defaultLockDays);
    await deps.retention.raiseLock(backupId, isoTime(until));
  }
  if (lockDays !== undefined) await lockObjects(deps, stored, lockDays);
}
