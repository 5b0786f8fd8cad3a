import * as z from 'zod';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import { signatureOf } from '../catalog/chunk-catalog.ts';
import { IncompleteBackupError } from '../errors.ts';
import type { BackupId } from '../ids.ts';
import type { FilesSection } from '../manifest/files-section.ts';
import type { ManifestStore } from '../manifest/manifest-store.ts';
import type { VerifyPlace } from '../objects/verify-object.ts';
import { pickUp } from '../objects/work-objects.ts';
import { type StoredObject, storedObjectSchema } from '../workflow.ts';
import type { FilesCatalog, FilesRecord } from './files-catalog.ts';
import { filesPrefix } from './keys.ts';
import { compareKeys, type FileEntry } from './model.ts';
import { readFilesSection } from './parent-files.ts';
import { readFilesPlan } from './plan-files.ts';
import { readIndex } from './read-index.ts';

export interface AssembleFilesDependencies {
  readonly catalog: BackupCatalog;
  readonly manifests: ManifestStore;
  readonly place: VerifyPlace;
  readonly files: FilesCatalog;
}

const objectsSchema = z.array(storedObjectSchema);
const nameOf = ({ key, versionId, sha256 }: StoredObject) => JSON.stringify([key, versionId, sha256]);
const incomplete = (what: string) =>
  new IncompleteBackupError(`The files are not completely backed up: ${what}.`);

/**
 * Puts the manifest's section of the files together, if all that was listed was stored and read back. Nothing is assumed:
 * every work item, every object, every line of the index is looked at.
 *
 * @throws IncompleteBackupError naming what is missing, unproved, double or without an object. DependencyError
 */
export async function assembleFiles(
  deps: AssembleFilesDependencies,
  backupId: BackupId,
): Promise<FilesSection> {
  const { place, files } = deps;
  const record = await files.get();
  if (record?.plan === undefined || record.items === undefined) throw incomplete('they were not listed');
  const { index, objects: list } = record;
  if (index === undefined || list === undefined) throw incomplete('the list of them is missing');
  if (record.indexVerifiedAt === undefined) throw incomplete('the list of them has not been read back');
  const proved = await provedObjects(deps, record);
  const kept = await keptObjects(deps, record);
  const objects = objectsSchema.parse(await pickUp(place.bucket, list));
  for (const object of objects) {
    const own = object.key.startsWith(filesPrefix(backupId));
    if (!(own ? proved : kept).has(nameOf(object))) {
      throw incomplete(`${object.key} is ${own ? 'not an object that was read back' : 'not of the parent'}`);
    }
  }
  const check = new IndexCheck(objects);
  for await (const entry of readIndex(place, index)) check.add(entry);
  if (check.count !== record.listed.files || check.bytes !== record.listed.bytes) {
    throw incomplete(
      `${record.listed.files} files of ${record.listed.bytes} bytes were listed, and the list has ${check.count} of ${check.bytes}`,
    );
  }
  const { bucket, listedAt } = record;
  return { bucket, listedAt, count: check.count, bytes: check.bytes, index, objects };
}

async function provedObjects(
  { files, place }: AssembleFilesDependencies,
  record: FilesRecord,
): Promise<ReadonlySet<string>> {
  if (record.plan === undefined) throw incomplete('they were not listed');
  const plan = await readFilesPlan(place.bucket, record.plan);
  const missing = new Set(plan.items.map(({ item }) => item));
  const proved = new Set<string>();
  for await (const { item, objects, signature, verifiedAt } of files.items()) {
    if (!missing.delete(item)) throw incomplete(`item ${item} was not planned`);
    if (verifiedAt === undefined) throw incomplete(`item ${item} has not been read back`);
    if (signature !== signatureOf(objects)) throw incomplete(`item ${item} names other objects`);
    for (const object of objects) proved.add(nameOf(object));
  }
  for (const item of missing) throw incomplete(`item ${item} is missing`);
  return proved;
}

async function keptObjects(
  deps: AssembleFilesDependencies,
  { parent }: FilesRecord,
): Promise<ReadonlySet<string>> {
  if (parent === undefined) return new Set();
  const { objects } = await readFilesSection(deps.manifests, deps.catalog, parent);
  return new Set(objects.map(nameOf));
}

/** Looks at one line of the index after the other. */
export class IndexCheck {
  readonly #objects: readonly StoredObject[];
  #before: string | undefined;
  count = 0;
  bytes = 0;

  constructor(objects: readonly StoredObject[]) {
    this.#objects = objects;
  }

  /** @throws IncompleteBackupError */
  add(entry: FileEntry): void {
    const { key, size, parts } = entry;
    if (this.#before !== undefined && compareKeys(this.#before, key) >= 0) {
      throw incomplete(`the file ${key} is not in its place in the list`);
    }
    this.#before = key;
    if (parts.some(({ object }) => this.#objects[object] === undefined)) {
      throw incomplete(`the file ${key} has no object`);
    }
    const wrong = parts.some(
      ({ object, name, bytes }) =>
        (this.#objects[object]?.kind === 'files') !== (name !== undefined) ||
        (name === undefined && this.#objects[object]?.plainBytes !== bytes),
    );
    if (wrong || parts.reduce((sum, { bytes }) => sum + bytes, 0) !== size) {
      throw incomplete(`the file ${key} is not whole`);
    }
    this.count++;
    this.bytes += size;
  }
}
