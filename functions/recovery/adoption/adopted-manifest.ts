import type { BackupId } from '../ids.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { ReencryptedObject } from '../reencryption/reencrypted-objects.ts';
import { replaceObjects } from '../reencryption/replace-objects.ts';

/**
 * The manifest of an adopted backup: what it holds, and of when, is as it was; its objects are those that were stored here, also
 * the ones that it referred to in earlier backups. So it is a full one, whatever it was.
 *
 * @throws IncompleteBackupError naming the first object that was not stored.
 */
export function adoptedManifest(
  manifest: Manifest,
  stored: readonly ReencryptedObject[],
  now: Required<Pick<Manifest, 'adopted'>> & { readonly backupId: BackupId; readonly keyArn: string },
): Manifest {
  const { reencrypted: _, ...replaced } = replaceObjects(manifest, stored, { keyArn: now.keyArn });
  const { totals } = replaced;
  return {
    ...replaced,
    backupId: now.backupId,
    adopted: now.adopted,
    type: manifest.import === undefined ? 'full' : 'import',
    shards: replaced.shards.map(({ parent: _parent, ...shard }) => shard),
    totals: { ...totals, referred: { objects: 0, storedBytes: 0 } },
  };
}
