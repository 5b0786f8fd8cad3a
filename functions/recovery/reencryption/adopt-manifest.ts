import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import { BackupNotRunningError, ManifestError } from '../errors.ts';
import type { OperationId } from '../ids.ts';
import { ownBytes } from '../manifest/manifest.ts';
import type { ManifestStore, StoredManifest } from '../manifest/manifest-store.ts';

/**
 * Tells the catalogue of a manifest that an operation has written.
 * @throws BackupNotRunningError when the backup is not reserved for it, or has another manifest by now.
 */
export async function adoptManifest(
  { catalog }: { readonly catalog: BackupCatalog },
  { key, versionId, sha256, manifest }: StoredManifest,
  operation: OperationId,
  record: BackupRecord | undefined,
): Promise<void> {
  if (record?.manifest?.sha256 === sha256) return;
  const from = manifest.reencrypted?.previous.sha256 ?? '';
  const values = { manifest: { key, versionId, sha256 }, sizeBytes: ownBytes(manifest) };
  if (await catalog.replaceManifest(manifest.backupId, { operation, from }, values)) return;
  if ((await catalog.get(manifest.backupId))?.manifest?.sha256 === sha256) return;
  throw new BackupNotRunningError(`Backup ${manifest.backupId} is not reserved for operation ${operation}.`);
}

/**
 * The manifest that an operation has put in the place of the one before, if it came so far. The one before is not read: S3 may
 * keep it under a key that can no longer be used.
 *
 * @param record the backup as the catalogue has it; asked for before this.
 */
export async function ownManifest(
  manifests: ManifestStore,
  record: Pick<BackupRecord, 'id' | 'manifest' | 'reencryptedBy'>,
  operationId: OperationId,
): Promise<StoredManifest | undefined> {
  const latest = await manifests.latest(record.id);
  if (latest === undefined) return undefined;
  if (latest.versionId === record.manifest?.versionId && record.reencryptedBy !== operationId) {
    return undefined;
  }
  try {
    const stored = await manifests.read(record.id, latest.versionId);
    return stored?.manifest.reencrypted?.operationId === operationId ? stored : undefined;
  } catch (error) {
    // Another one, which other keys authenticate.
    if (error instanceof ManifestError) return undefined;
    throw error;
  }
}
