import * as z from 'zod';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import { IncompleteBackupError, ObjectTooLargeError } from '../errors.ts';
import type { BackupId } from '../ids.ts';
import type { ManifestStore } from '../manifest/manifest-store.ts';
import type { Bucket } from '../objects/bucket.ts';
import { type StorePlace, storeObject } from '../objects/store-object.ts';
import { leave, pickUp } from '../objects/work-objects.ts';
import type { StoredObject } from '../workflow.ts';
import type { FilesCatalog } from './files-catalog.ts';
import { filesIndexKey, filesWorkKey } from './keys.ts';
import { pickUpLines, toLines } from './lines.ts';
import { compareKeys, type FileEntry, fileEntrySchema, maximumObjects } from './model.ts';
import { readFilesSection } from './parent-files.ts';
import { type FilesPlan, readFilesPlan } from './plan-files.ts';

export interface IndexFilesDependencies {
  readonly catalog: BackupCatalog;
  readonly manifests: ManifestStore;
  readonly bucket: Bucket;
  readonly place: StorePlace;
  readonly files: FilesCatalog;
  /** Names this attempt in the keys of its objects. */
  readonly attempt: string;
}

/** What one item's record says of its files. */
export const itemEntriesSchema = z.array(fileEntrySchema);

/**
 * Puts the list of all files together, of those that were copied and those that are kept, in the order of their keys,
 * and stores it as an object like any other.
 *
 * @throws IncompleteBackupError, ObjectTooLargeError, DependencyError
 */
export async function indexFiles(deps: IndexFilesDependencies, backupId: BackupId): Promise<StoredObject> {
  const { files, bucket, place } = deps;
  const record = await files.get();
  if (record?.plan === undefined || record.items === undefined) {
    throw new IncompleteBackupError('The files were not listed to their end.');
  }
  const plan = await readFilesPlan(bucket, record.plan);
  const section = record.parent && (await readFilesSection(deps.manifests, deps.catalog, record.parent));
  const objects = new ObjectList(section?.objects ?? []);
  const entries = merged(copiedEntries(deps, plan, objects), keptEntries(deps, plan, objects));
  const { object } = await storeObject(place, {
    kind: 'files-index',
    key: filesIndexKey(backupId, deps.attempt, place.compression.format),
    context: {
      'mainstay:backup': backupId,
      'mainstay:component': 'files',
      'mainstay:kind': 'files-index',
    },
    source: toLines(entries),
  });
  const listKey = filesWorkKey(backupId, `objects-${deps.attempt}.json`);
  await files.set({ index: object, objects: await leave(bucket, listKey, objects.all) });
  return object;
}

/** The objects that a manifest will list, each once. */
class ObjectList {
  readonly all: StoredObject[] = [];
  readonly #earlier: readonly StoredObject[];
  readonly #positions = new Map<number, number>();

  constructor(earlier: readonly StoredObject[]) {
    this.#earlier = earlier;
  }

  /** @returns the position of the first of them. */
  add(objects: readonly StoredObject[]): number {
    const first = this.all.length;
    this.all.push(...objects);
    if (this.all.length > maximumObjects) {
      throw new ObjectTooLargeError(
        `The files take more than ${maximumObjects} stored objects, which is what one backup may have.`,
      );
    }
    return first;
  }

  /** @returns the position of an object of the parent, which is listed from now on. */
  keep(position: number): number {
    const known = this.#positions.get(position);
    if (known !== undefined) return known;
    const object = this.#earlier[position];
    if (object === undefined) throw new IncompleteBackupError('A kept file has no object in its backup.');
    const added = this.add([object]);
    this.#positions.set(position, added);
    return added;
  }
}

const renumbered = (entry: FileEntry, position: (object: number) => number): FileEntry => ({
  ...entry,
  parts: entry.parts.map((part) => ({ ...part, object: position(part.object) })),
});

async function* copiedEntries(
  { files, bucket }: IndexFilesDependencies,
  plan: FilesPlan,
  objects: ObjectList,
): AsyncGenerator<FileEntry> {
  let pending: FileEntry | undefined;
  let expected = 0;
  for await (const { item, entries, objects: own } of files.items()) {
    if (item !== expected) break;
    expected++;
    const first = objects.add(own);
    for (const entry of itemEntriesSchema.parse(await pickUp(bucket, entries))) {
      const placed = renumbered(entry, (object) => first + object);
      // The segments of a file come one after the other, each as an item of its own.
      if (pending?.key === placed.key) pending = { ...pending, parts: [...pending.parts, ...placed.parts] };
      else {
        if (pending !== undefined) yield pending;
        pending = placed;
      }
    }
  }
  if (expected !== plan.items.length)
    throw new IncompleteBackupError(`Item ${expected} of the files is missing.`);
  if (pending !== undefined) yield pending;
}

async function* keptEntries(
  { bucket }: IndexFilesDependencies,
  plan: FilesPlan,
  objects: ObjectList,
): AsyncGenerator<FileEntry> {
  for (const part of plan.kept) {
    for await (const entry of pickUpLines(bucket, part, fileEntrySchema)) {
      yield renumbered(entry, (object) => objects.keep(object));
    }
  }
}

/** Two lists in the order of their keys as one. */
async function* merged(
  one: AsyncGenerator<FileEntry>,
  other: AsyncGenerator<FileEntry>,
): AsyncGenerator<FileEntry> {
  let [a, b] = [await one.next(), await other.next()];
  try {
    while (a.done !== true || b.done !== true) {
      if (a.done !== true && (b.done === true || compareKeys(a.value.key, b.value.key) < 0)) {
        yield a.value;
        a = await one.next();
      } else if (b.done !== true) {
        yield b.value;
        b = await other.next();
      }
    }
  } finally {
    await Promise.all([one.return(undefined), other.return(undefined)]);
  }
}
