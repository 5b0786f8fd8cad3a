import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import { ManifestError } from '../errors.ts';
import type { BackupId, ShardName } from '../ids.ts';
import type { Manifest, ManifestShard } from './manifest.ts';
import type { ManifestStore } from './manifest-store.ts';

/** What an earlier backup has of a shard. */
export interface Parent {
  readonly backupId: BackupId;
  readonly encoding: Manifest['encoding'];
  readonly shard: ManifestShard;
}

/**
 * Reads what a parent's manifest says of a shard: the very manifest that was committed, of a backup that is kept for the
 * one that refers to it.
 *
 * @throws ManifestError, DamagedObjectError, DependencyError
 */
export async function readParent(
  { catalog, manifests }: { catalog: BackupCatalog; manifests: ManifestStore },
  parentId: BackupId,
  dependent: BackupId,
  shard: ShardName,
): Promise<Parent> {
  const record = await catalog.get(parentId);
  if (record?.manifest === undefined) throw new ManifestError(`There is no complete backup ${parentId}.`);
  if (!record.dependents.includes(dependent) || !['completed', 'expired'].includes(record.state)) {
    throw new ManifestError(`Backup ${parentId} is not kept for ${dependent}.`);
  }
  const stored = await manifests.read(parentId, record.manifest.versionId);
  if (stored?.sha256 !== record.manifest.sha256) {
    throw new ManifestError(`The manifest of ${parentId} is not the one that was committed.`);
  }
  const found = stored.manifest.shards.find(({ name }) => name === shard);
  if (found === undefined) throw new ManifestError(`Backup ${parentId} has nothing of ${shard}.`);
  return { backupId: parentId, encoding: stored.manifest.encoding, shard: found };
}
