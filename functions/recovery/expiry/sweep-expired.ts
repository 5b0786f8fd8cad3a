import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import type { Bucket } from '../objects/bucket.ts';
import { backupPrefix, manifestKey } from '../objects/object-keys.ts';
import { noRemoval, type Removal, removePrefix } from '../objects/remove-prefix.ts';
import { versionName } from './named-objects.ts';
import { type NeededDependencies, neededOf } from './needed-versions.ts';
import type { RetentionCatalog } from './retention-catalog.ts';

export interface SweepExpiredDependencies extends NeededDependencies {
  readonly catalog: BackupCatalog;
  readonly retention: RetentionCatalog;
  readonly bucket: Bucket;
}

/**
 * Removes of an expired backup, by version, what no backup needs that refers to it. Its manifest stays until the last of
 * them is gone. When nothing is left the backup is `deleting`, and whoever asked does the rest.
 *
 * @returns whether anything is left, `remaining`: objects that are needed, locked, or that time ran out for.
 */
export async function sweepExpired(
  deps: SweepExpiredDependencies,
  record: BackupRecord,
  hasTime: () => boolean,
): Promise<Removal> {
  const { bucket, catalog, retention } = deps;
  const { id } = record;
  const needed = await neededOf(deps, record);
  if (needed.kind === 'everything') return { ...noRemoval, remaining: true };
  if (needed.kind === 'nothing') {
    const removal = await removePrefix(bucket, backupPrefix(id), hasTime);
    // Still expired until all is gone: what a lock keeps is not `deleting`.
    return removal.remaining || (await catalog.beginDelete(id)) ? removal : { ...removal, remaining: true };
  }
  if ((await retention.wasSweptFor(id)) === needed.dependents) return { ...noRemoval, remaining: true };
  const removal = await removePrefix(
    bucket,
    backupPrefix(id),
    hasTime,
    (object) => object.key === manifestKey(id) || needed.names.has(versionName(object)),
  );
  if (!removal.remaining) await retention.sweptFor(id, needed.dependents);
  return { ...removal, remaining: true };
}
