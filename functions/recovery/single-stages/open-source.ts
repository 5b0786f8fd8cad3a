import { Readable } from 'node:stream';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import { DamagedObjectError, ManifestError, ObjectTooLargeError, UnknownBackupError } from '../errors.ts';
import type { BackupId } from '../ids.ts';
import { readRange } from '../import/read-range.ts';
import type { ManifestStore } from '../manifest/manifest-store.ts';
import { objectsOf } from '../manifest/objects-of.ts';
import type { Bucket, ObjectVersion } from '../objects/bucket.ts';
import { checkBytes, isProblem } from '../objects/read-object.ts';
import type { StoredObject } from '../workflow.ts';
import type { Source } from './events.ts';
import { largestStageBytes } from './model.ts';

export interface SourceDependencies {
  readonly catalog: BackupCatalog;
  readonly manifests: ManifestStore;
  readonly bucket: Bucket;
}

export interface OpenSource {
  /** Last part of its key. */
  readonly name: string;
  readonly bytes: number;
  /** Of a backup's object: what its message must be about. */
  readonly context: Readonly<Record<string, string>> | undefined;
  readonly content: Readable;
}

/**
 * Opens what a stage works on. Of a backup's object, manifest, size and SHA-256 are checked before.
 *
 * @throws UnknownBackupError, ManifestError, DamagedObjectError, ObjectTooLargeError, DependencyError.
 */
export async function openSource(deps: SourceDependencies, source: Source): Promise<OpenSource> {
  if ('key' in source) return openKey(deps.bucket, source);
  const object = await findObject(deps, source.backupId, source.object);
  requireSize(object.key, object.storedBytes);
  const intact = await checkBytes(deps.bucket, object);
  if (isProblem(intact)) throw new DamagedObjectError(`${object.key}: ${intact.detail}`);
  const { context, storedBytes: bytes } = object;
  return { name: nameOf(object.key), bytes, context, content: await intact.open() };
}

async function openKey(bucket: Bucket, object: ObjectVersion): Promise<OpenSource> {
  // From here on this version, whatever is written under the key meanwhile.
  const version = await bucket.look(object);
  if (version === undefined) {
    throw new DamagedObjectError(`There is no ${object.key}, or no such version of it.`);
  }
  const { bytes } = version;
  requireSize(object.key, bytes);
  const content = Readable.from(readRange(bucket, version, { from: 0, bytes }), { highWaterMark: 2 });
  return { name: nameOf(object.key), bytes, context: undefined, content };
}

async function findObject(
  { catalog, manifests }: SourceDependencies,
  backupId: BackupId,
  key: string,
): Promise<StoredObject> {
  const backup = await catalog.get(backupId);
  if (backup?.state !== 'completed' || backup.manifest === undefined) {
    throw new UnknownBackupError(`There is no complete backup ${backupId}.`);
  }
  const stored = await manifests.read(backupId, backup.manifest.versionId);
  if (stored?.sha256 !== backup.manifest.sha256) {
    throw new ManifestError(`The manifest of ${backupId} is not the one that was committed.`);
  }
  const object = objectsOf(stored.manifest).find((each) => each.key === key);
  if (object === undefined) throw new DamagedObjectError(`${backupId} has no object ${key}.`);
  return object;
}

function requireSize(key: string, bytes: number): void {
  if (bytes <= largestStageBytes) return;
  throw new ObjectTooLargeError(
    `${key} has ${bytes} bytes; single stages work on objects up to ${largestStageBytes}.`,
  );
}

const nameOf = (key: string): string => key.slice(key.lastIndexOf('/') + 1);
