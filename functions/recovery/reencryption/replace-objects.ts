import { IncompleteBackupError } from '../errors.ts';
import { namedObjects, versionName } from '../expiry/named-objects.ts';
import { type Manifest, manifestSchema } from '../manifest/manifest.ts';
import { objectsOf } from '../manifest/objects-of.ts';
import type { StoredObject } from '../workflow.ts';
import type { ReencryptedObject } from './reencrypted-objects.ts';

/** Every object of a backup, each once, in the order of the manifest. */
export function distinctObjects(manifest: Manifest): StoredObject[] {
  return [...new Map(objectsOf(manifest).map((object) => [versionName(object), object])).values()];
}

/**
 * The manifest of the backup once its objects have been stored anew: the same, but for where they are, their bytes and their
 * keys. Nothing is assumed: each object has to have been re-encrypted, and as what the manifest says that it was.
 *
 * @throws IncompleteBackupError naming the first that is missing.
 */
export function replaceObjects(
  manifest: Manifest,
  reencrypted: readonly ReencryptedObject[],
  now: Pick<Manifest, 'reencrypted'> & { readonly keyArn: string },
): Manifest {
  const found = new Map(reencrypted.map((each) => [versionName(each.from), each]));
  const replace = (object: StoredObject): StoredObject => {
    const { from, object: stored } = found.get(versionName(object)) ?? {};
    if (stored === undefined || from?.sha256 !== object.sha256) {
      throw new IncompleteBackupError(`${object.key} was not re-encrypted.`);
    }
    const { escrow: _, ...same } = object;
    const { key, versionId, sha256, storedBytes, escrow } = stored;
    return { ...same, key, versionId, sha256, storedBytes, ...(escrow !== undefined && { escrow }) };
  };
  const { files, configuration, import: dump } = manifest;
  const next: Manifest = {
    ...manifest,
    reencrypted: now.reencrypted,
    encoding: { ...manifest.encoding, keyArn: now.keyArn },
    shards: manifest.shards.map((shard) => ({
      ...shard,
      preData: replace(shard.preData),
      postData: replace(shard.postData),
      sequences: replace(shard.sequences),
      chunks: shard.chunks.map(replace),
    })),
    ...(dump && { import: { ...dump, segments: dump.segments.map(replace) } }),
    ...(files && {
      files: { ...files, index: replace(files.index), objects: files.objects.map(replace) },
    }),
    ...(configuration && { configuration: { ...configuration, object: replace(configuration.object) } }),
  };
  requireReplaced(next, reencrypted);
  const storedBytes = objectsOf(next).reduce((sum, object) => sum + object.storedBytes, 0);
  return manifestSchema.parse({ ...next, totals: { ...manifest.totals, storedBytes } });
}

/** Looks at every object that is named anywhere, so that no kind of content is forgotten that is new to the manifest. */
function requireReplaced(next: Manifest, reencrypted: readonly ReencryptedObject[]): void {
  const known = new Set(reencrypted.map(({ object }) => versionName(object)));
  const left = namedObjects(next).find((object) => !known.has(versionName(object)));
  if (left !== undefined) throw new IncompleteBackupError(`${left.key} was not re-encrypted.`);
}
