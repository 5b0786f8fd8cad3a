import { createHash } from 'node:crypto';
import { IncompleteBackupError } from '../errors.ts';
import type { Bucket } from '../objects/bucket.ts';
import type { VerifyPlace } from '../objects/verify-object.ts';
import { pickUp } from '../objects/work-objects.ts';
import type { StoredObject } from '../workflow.ts';
import type { FilesWork } from './contract.ts';
import type { FileEntry } from './model.ts';
import { type RestoreItem, restoreItemSchema } from './plan-restore-files.ts';
import { lookAt, type Present, putLarge, putSmall, requireSame } from './put-file.ts';
import { readAhead } from './read-ahead.ts';
import type { FilesSource } from './read-file.ts';
import { storedContent } from './read-index.ts';
import { longestKey, type RestoredFiles } from './restore-model.ts';
import { unpackFiles } from './unpack-files.ts';

export interface RestoreFilesDependencies {
  /** The backups. */
  readonly place: VerifyPlace;
  /** Where the work items are. */
  readonly items: Bucket;
  /** Where files go. */
  readonly target: FilesSource;
  /** Only look. */
  readonly dryRun: boolean;
}

/** Files that are looked at or written at once. */
const width = 8;
/** Conflicts that are noted of one item. */
const maximumConflicts = 100;

type Writing = (
  entry: FileEntry,
  write: (key: string, overwrite: boolean) => Promise<boolean>,
) => Promise<void>;

/**
 * Puts one work item of files back: with what S3 kept with them, each when its content was found to be what was backed up.
 * What is there already and the same is left alone; what is there and differs too, unless it is to be overwritten.
 *
 * @throws DamagedObjectError, IncompleteBackupError, DependencyError; files that are done stay.
 */
export async function restoreFiles(
  deps: RestoreFilesDependencies,
  { item, work }: FilesWork,
): Promise<RestoredFiles> {
  const { items, dryRun } = deps;
  const { entries, objects, selection } = restoreItemSchema.parse(await pickUp(items, work));
  const found: RestoredFiles = { item, restored: 0, equal: 0, bytes: 0, conflictsTotal: 0, conflicts: [] };
  const conflict = (key: string, problem: string): void => {
    found.conflictsTotal++;
    if (found.conflicts.length < maximumConflicts) found.conflicts.push({ key, problem });
  };
  const keyOf = ({ key }: FileEntry): string => `${selection.to ?? ''}${key}`;
  const todo: FileEntry[] = [];
  const looks = readAhead(entries, width, async (entry): Promise<[FileEntry, Present | 'too-long']> => {
    const key = keyOf(entry);
    if (Buffer.byteLength(key) > longestKey) return [entry, 'too-long'];
    return [entry, await lookAt(deps.target, key, entry)];
  });
  for await (const [entry, present] of looks) {
    if (present === 'equal') found.equal++;
    else if (present === 'too-long')
      conflict(keyOf(entry), `The key would be longer than ${longestKey} bytes.`);
    else if (present === 'different' && !selection.overwrite) {
      conflict(keyOf(entry), 'Another file is there.');
    } else todo.push(entry);
  }
  if (dryRun) return found;
  const write: Writing = async (entry, put) => {
    const key = keyOf(entry);
    if (await put(key, selection.overwrite)) {
      found.restored++;
      found.bytes += entry.size;
    } else conflict(key, 'Another file was put there meanwhile.');
  };
  await writePacked(deps, todo, objects, write);
  await writeLarge(deps, todo, objects, write);
  return found;
}

async function writePacked(
  { place, target }: RestoreFilesDependencies,
  todo: readonly FileEntry[],
  objects: RestoreItem['objects'],
  write: Writing,
): Promise<void> {
  const packed = todo.filter(({ parts: [part] }) => part?.name !== undefined);
  for (const [position, entries] of Map.groupBy(packed, ({ parts: [part] }) => part?.object)) {
    const byName = new Map(entries.map((entry) => [entry.parts[0]?.name ?? '', entry]));
    const files = unpackFiles(place, objectAt(objects, position), new Set(byName.keys()));
    let writing: Promise<void>[] = [];
    try {
      for await (const { name, content } of files) {
        const entry = byName.get(name);
        const part = entry?.parts[0];
        if (entry === undefined || part === undefined) continue;
        byName.delete(name);
        requireSame(entry, part, createHash('sha256').update(content).digest('hex'));
        writing.push(write(entry, (key, overwrite) => putSmall(target, key, entry, content, overwrite)));
        if (writing.length < width) continue;
        await Promise.all(writing);
        writing = [];
      }
      await Promise.all(writing);
    } finally {
      await Promise.allSettled(writing);
    }
    const [missing] = byName.values();
    if (missing !== undefined) throw new IncompleteBackupError(`The file ${missing.key} is not in its pack.`);
  }
}

async function writeLarge(
  { place, target }: RestoreFilesDependencies,
  todo: readonly FileEntry[],
  objects: RestoreItem['objects'],
  write: Writing,
): Promise<void> {
  for (const entry of todo.filter(({ parts: [part] }) => part?.name === undefined)) {
    const open = ({ object }: FileEntry['parts'][number]) => storedContent(place, objectAt(objects, object));
    await write(entry, (key, overwrite) => putLarge(target, key, entry, open, overwrite));
  }
}

function objectAt(objects: RestoreItem['objects'], position: number | undefined): StoredObject {
  const object = objects[String(position)];
  if (object === undefined) throw new IncompleteBackupError('A file has no object in its backup.');
  return object;
}
