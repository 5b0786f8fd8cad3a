import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import { notReencrypting } from '../catalog/backup-record.ts';
import type { OperationCatalog } from '../catalog/operation-catalog.ts';
import type { RestoreCatalog } from '../catalog/restore-catalog.ts';
import { backupsBeingRestored } from '../expiry/expire-backups.ts';
import { namedObjects, versionName } from '../expiry/named-objects.ts';
import type { BackupId } from '../ids.ts';
import type { StoredManifest } from '../manifest/manifest-store.ts';
import type { Bucket } from '../objects/bucket.ts';
import { backupPrefix } from '../objects/object-keys.ts';
import { type PrefixRemoval, removePrefix } from '../objects/remove-prefix.ts';

export interface SupersededDependencies {
  readonly catalog: BackupCatalog;
  readonly operations: OperationCatalog;
  readonly restores: RestoreCatalog;
  readonly bucket: Bucket;
  readonly clock: { now(): number };
}

/** Whether a restore, a drill, a verification or a single stage may still read what the manifest before named. */
export async function isRead(
  { operations, restores, clock }: SupersededDependencies,
  id: BackupId,
  except: string | undefined,
): Promise<boolean> {
  if ((await backupsBeingRestored(restores, clock.now())).has(id)) return true;
  const atWork = await operations.atWork();
  return atWork.some((operation) => operation.backupId === id && operation.id !== except);
}

/**
 * Removes every version of a backup's objects that its manifest does not name: those that were replaced, and what attempts
 * left. What Object Lock holds stays.
 *
 * After each listing the catalogue is asked, consistently, whether the backup is as it was: an operation that begins later
 * stores nothing that was listed before.
 *
 * @param stored the manifest that counts.
 * @param operation the one that may hold the backup meanwhile; nothing: none may.
 * @throws DependencyError
 */
export async function removeSuperseded(
  { catalog, bucket }: Pick<SupersededDependencies, 'catalog' | 'bucket'>,
  stored: StoredManifest,
  operation: string | undefined,
  hasTime: () => boolean,
): Promise<PrefixRemoval> {
  const { backupId } = stored.manifest;
  const needed = new Set([stored, ...namedObjects(stored.manifest)].map(versionName));
  const isAsItWas = async (): Promise<boolean> => {
    const record = await catalog.get(backupId);
    const { reencrypting = notReencrypting } = record ?? {};
    return (
      record?.state === 'completed' &&
      record.manifest?.sha256 === stored.sha256 &&
      (reencrypting === notReencrypting || reencrypting === operation)
    );
  };
  const isNeeded = (object: { key: string; versionId: string | null }) => needed.has(versionName(object));
  return removePrefix(bucket, backupPrefix(backupId), hasTime, isNeeded, isAsItWas);
}
