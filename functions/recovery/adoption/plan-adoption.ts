import { type Clock, isoTime } from '../clock.ts';
import { BackupNotRunningError, ManifestError, UnknownBackupError } from '../errors.ts';
import type { BackupId, OperationId } from '../ids.ts';
import { leaveWork, type PlanReencryptionDependencies } from '../reencryption/plan-reencryption.ts';
import { newRecord } from './adopted-record.ts';
import type { Adoptions } from './adoptions.ts';

/** `manifests` are those of the vault. */
export interface PlanAdoptionDependencies extends PlanReencryptionDependencies {
  readonly adoptions: Adoptions;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Reads the manifest of a backup in the vault, enters the backup that it becomes as one at work, and lists its objects as work
 * items. Doing it again keeps to the manifest that was read first.
 *
 * @param about `from` is the backup's id in the vault, `backupId` the one that it gets.
 * @returns where the items are.
 * @throws UnknownBackupError, ManifestError, BackupNotRunningError, DependencyError
 */
export async function planAdoption(
  { catalog, operations, adoptions, manifests, bucket, clock }: PlanAdoptionDependencies,
  about: {
    readonly from: BackupId;
    readonly backupId: BackupId;
    readonly operationId: OperationId;
    readonly executionArn: string;
  },
): Promise<{ bucket: string; key: string }> {
  const { from, backupId, operationId, executionArn } = about;
  const operation = await operations.get(operationId);
  if (operation === undefined || (await adoptions.of(from)) !== backupId) {
    throw new BackupNotRunningError(`Operation ${operationId} does not adopt ${from} any more.`);
  }
  const known = (await catalog.get(backupId))?.adopted;
  const stored = await manifests.read(from, known?.versionId ?? null);
  if (stored === undefined) throw new UnknownBackupError(`The vault has no backup ${from}.`);
  if (known !== undefined && known.sha256 !== stored.sha256) {
    throw new ManifestError(`The manifest of ${from} in the vault is not the one that was read first.`);
  }
  const { traceparent, requestedBy } = operation;
  const record = newRecord(stored, { id: backupId, traceparent, requestedBy, executionArn });
  await catalog.create(record);
  const startedAt = isoTime(clock.now());
  if (!(await catalog.start(backupId, { executionArn, shards: record.shards, startedAt }))) {
    throw new BackupNotRunningError(`Backup ${backupId} was canceled before it began.`);
  }
  return leaveWork({ operations, bucket }, about, stored.manifest);
}
