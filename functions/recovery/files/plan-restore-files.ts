import * as z from 'zod';
import { ObjectTooLargeError, UnknownFileError } from '../errors.ts';
import type { RestoreId } from '../ids.ts';
import type { FilesSection } from '../manifest/files-section.ts';
import type { Bucket } from '../objects/bucket.ts';
import type { VerifyPlace } from '../objects/verify-object.ts';
import { leave } from '../objects/work-objects.ts';
import { type StoredObject, storedObjectSchema } from '../workflow.ts';
import type { FilesWork } from './contract.ts';
import { restoredFilesKey } from './keys.ts';
import { type FileEntry, fileEntrySchema, segmentBytes } from './model.ts';
import { readIndex } from './read-index.ts';
import { type FilesSelection, filesSelectionSchema } from './restore-model.ts';

/** What one invocation restores. */
export const restoreItemSchema = z.object({
  entries: z.array(fileEntrySchema),
  /** By their positions in the manifest. */
  objects: z.record(z.string(), storedObjectSchema),
  selection: filesSelectionSchema,
});
export type RestoreItem = z.output<typeof restoreItemSchema>;

export interface PlannedFilesRestore {
  /** Where the work items are. */
  readonly key: string;
  readonly files: number;
  readonly bytes: number;
}

/** Bounds of what one invocation restores. */
const bounds = { files: 1_000, objects: 100, bytes: 4 * 1024 * 1024 * 1024 };
/** The largest file that one invocation reads, checks and writes in its time. */
export const largestRestored = 3 * segmentBytes;

/**
 * Chooses files of a backup and divides them into work items, in the order of their keys.
 *
 * @throws UnknownFileError naming a key that the backup has not. ObjectTooLargeError naming a file that is too large.
 * DamagedObjectError, DependencyError
 */
export async function planRestoreFiles(
  place: VerifyPlace,
  bucket: Bucket,
  section: FilesSection,
  restoreId: RestoreId,
  selection: FilesSelection,
): Promise<PlannedFilesRestore> {
  const missing = new Set(selection.keys);
  const items: FilesWork[] = [];
  const item = new ItemBuilder(section.objects);
  let [files, bytes] = [0, 0];
  const finish = async (): Promise<void> => {
    const { entries, objects } = item.take();
    const content: RestoreItem = { entries, objects, selection };
    const name = String(items.length).padStart(6, '0');
    const work = await leave(bucket, restoredFilesKey(restoreId, name), content);
    items.push({ item: items.length, work });
  };
  for await (const entry of readIndex(place, section.index)) {
    if (!isChosen(entry.key, selection)) continue;
    missing.delete(entry.key);
    if (entry.size > largestRestored) {
      throw new ObjectTooLargeError(
        `The file ${entry.key} has ${entry.size} bytes; at most ${largestRestored} are restored here. docs/restore-without-mainstay.md tells how to restore it.`,
      );
    }
    if (item.isFull(entry)) await finish();
    item.add(entry);
    files++;
    bytes += entry.size;
  }
  const [first] = missing;
  if (first !== undefined) throw new UnknownFileError(`The backup has no file ${first}.`);
  if (!item.isEmpty || items.length === 0) await finish();
  const { key } = await leave(bucket, restoredFilesKey(restoreId, 'items'), items);
  return { key, files, bytes };
}

const isChosen = (key: string, { prefix, keys }: FilesSelection): boolean =>
  (prefix === undefined || key.startsWith(prefix)) && (keys === undefined || keys.includes(key));

class ItemBuilder {
  readonly #all: readonly StoredObject[];
  #entries: FileEntry[] = [];
  #objects = new Set<number>();
  #bytes = 0;

  constructor(all: readonly StoredObject[]) {
    this.#all = all;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  isFull({ size }: FileEntry): boolean {
    return (
      this.#entries.length === bounds.files ||
      this.#objects.size >= bounds.objects ||
      (!this.isEmpty && this.#bytes + size > bounds.bytes)
    );
  }

  add(entry: FileEntry): void {
    this.#entries.push(entry);
    this.#bytes += entry.size;
    for (const { object } of entry.parts) this.#objects.add(object);
  }

  take(): Pick<RestoreItem, 'entries' | 'objects'> {
    const objects: Record<string, StoredObject> = {};
    for (const position of this.#objects) {
      const object = this.#all[position];
      if (object !== undefined) objects[position] = object;
    }
    const entries = this.#entries;
    this.#entries = [];
    this.#objects = new Set();
    this.#bytes = 0;
    return { entries, objects };
  }
}
