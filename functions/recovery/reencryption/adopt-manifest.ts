import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import { BackupNotRunningError, ManifestError } from '../errors.ts';
import type { BackupId, OperationId } from '../ids.ts';
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

/** The manifest that an operation has put in the place of the one before, if it came so far. */
export async function ownManifest(
  manifests: ManifestStore,
  backupId: BackupId,
  operationId: OperationId,
): Promise<StoredManifest | undefined> {
  try {
    const latest = await manifests.read(backupId, null);
    return latest?.manifest.reencrypted?.operationId === operationId ? latest : undefined;
  } catch (error) {
    // The one from before, which other keys authenticate.
    if (error instanceof ManifestError) return undefined;
    throw error;
  }
}
