import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { OperationCatalog } from '../catalog/operation-catalog.ts';
import { BackupNotRunningError, ManifestError } from '../errors.ts';
import type { BackupId, OperationId } from '../ids.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { ManifestStore, StoredManifest } from '../manifest/manifest-store.ts';
import type { Bucket } from '../objects/bucket.ts';
import { verificationKey } from '../objects/object-keys.ts';
import { leave } from '../objects/work-objects.ts';
import { divide } from '../verification/plan-verification.ts';
import type { ReencryptionWork } from './events.ts';
import { distinctObjects } from './replace-objects.ts';

export interface PlanReencryptionDependencies {
  readonly catalog: BackupCatalog;
  readonly operations: OperationCatalog;
  /** Reads manifests by the keys that were asked for. */
  readonly manifests: ManifestStore;
  readonly bucket: Bucket;
}

/**
 * Lists the objects of a backup as work items. Doing it again lists the same.
 *
 * @returns where the items are.
 * @throws BackupNotRunningError, ManifestError, DependencyError
 */
export async function planReencryption(
  { catalog, operations, manifests, bucket }: PlanReencryptionDependencies,
  about: { readonly backupId: BackupId; readonly operationId: OperationId; readonly executionArn: string },
): Promise<{ bucket: string; key: string }> {
  const { manifest } = await readReserved({ catalog, manifests }, about);
  return leaveWork({ operations, bucket }, about, manifest);
}

/**
 * Leaves the objects of a manifest as work items, and notes that the operation runs.
 * @throws BackupNotRunningError, DependencyError
 */
export async function leaveWork(
  { operations, bucket }: Pick<PlanReencryptionDependencies, 'operations' | 'bucket'>,
  { operationId, executionArn }: { readonly operationId: OperationId; readonly executionArn: string },
  manifest: Manifest,
): Promise<{ bucket: string; key: string }> {
  const objects = distinctObjects(manifest);
  if (!(await operations.start(operationId, executionArn, objects.length))) {
    throw new BackupNotRunningError(`Operation ${operationId} was canceled before it began.`);
  }
  const items: ReencryptionWork[] = [];
  let first = 0;
  for (const { item, objects: some } of divide(objects)) {
    items.push({ item, first, objects: some });
    first += some.length;
  }
  const key = verificationKey(operationId);
  await leave(bucket, key, items.length === 0 ? [{ item: 0, first: 0, objects: [] }] : items);
  return { bucket: bucket.name, key };
}

/**
 * The manifest that was committed, of a backup that is reserved for the operation.
 * @throws BackupNotRunningError, ManifestError, DependencyError
 */
export async function readReserved(
  { catalog, manifests }: Pick<PlanReencryptionDependencies, 'catalog' | 'manifests'>,
  { backupId, operationId }: { readonly backupId: BackupId; readonly operationId: OperationId },
): Promise<StoredManifest> {
  const record = await catalog.get(backupId);
  if (record?.state !== 'completed' || record.manifest === undefined) {
    throw new BackupNotRunningError(`Backup ${backupId} is not a complete backup any more.`);
  }
  if (record.reencrypting !== operationId) {
    throw new BackupNotRunningError(`Backup ${backupId} is not reserved for operation ${operationId}.`);
  }
  const stored = await manifests.read(backupId, record.manifest.versionId);
  if (stored === undefined) throw new ManifestError(`The manifest of ${backupId} is missing.`);
  if (stored.sha256 === record.manifest.sha256) return stored;
  throw new ManifestError('The manifest is authentic, but it is not the one that was committed.');
}
