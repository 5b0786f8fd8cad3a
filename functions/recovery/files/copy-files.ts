import { createHash } from 'node:crypto';
import type { WorkObject } from '../catalog/snapshot-store.ts';
import { addStages } from '../chunks/copy-chunk.ts';
import { type Clock, isoTime } from '../clock.ts';
import { NotReadyError } from '../errors.ts';
import type { BackupId } from '../ids.ts';
import type { StageTotals } from '../model.ts';
import type { Bucket } from '../objects/bucket.ts';
import { type StorePlace, storeObject } from '../objects/store-object.ts';
import { leave, pickUp } from '../objects/work-objects.ts';
import type { StoredObject } from '../workflow.ts';
import type { FilesCatalog, FilesItemRecord } from './files-catalog.ts';
import { fileKey, filesItemKey, packKey } from './keys.ts';
import { type FileEntry, type FilesItem, filesItemSchema, smallBytes } from './model.ts';
import { nameInPack, packFiles } from './pack-files.ts';
import { readAhead } from './read-ahead.ts';
import { type FilesSource, openFile } from './read-file.ts';
import { shrinks } from './shrinks.ts';

export interface CopyFilesDependencies {
  readonly source: FilesSource;
  readonly place: StorePlace;
  readonly bucket: Bucket;
  readonly files: Pick<FilesCatalog, 'putItem' | 'getItem'>;
  readonly clock: Clock;
  /** Names this attempt in the keys of its objects. */
  readonly attempt: string;
}

interface Stored {
  readonly object: StoredObject;
  readonly stages: StageTotals;
}

/** Large files that are copied at once; each has a few buffers of 8 MiB on its way. */
const width = 2;

/**
 * Copies one work item to the store and notes it: the small files as one pack, each large one by itself.
 *
 * @throws IncompleteBackupError naming a file that is gone for good. DependencyError
 */
export async function copyFiles(
  deps: CopyFilesDependencies,
  backupId: BackupId,
  { item, work }: { item: number; work: WorkObject },
): Promise<FilesItemRecord> {
  const startedAt = isoTime(deps.clock.now());
  const files = filesItemSchema.parse(await pickUp(deps.bucket, work));
  const small = files.filter(({ size }) => size < smallBytes);
  const large = files.filter(({ size }) => size >= smallBytes);
  const stored: Stored[] = [];
  const entries: FileEntry[] = [];
  if (small.length > 0) {
    const packed = await storePack(deps, backupId, item, small);
    stored.push(packed);
    entries.push(...packed.entries);
  }
  const copies = readAhead([...large.entries()], width, ([index, file]) =>
    storeFile(deps, backupId, { item, index }, file),
  );
  for await (const { entry, ...copied } of copies) {
    entries.push({ ...entry, parts: entry.parts.map((part) => ({ ...part, object: stored.length })) });
    stored.push(copied);
  }
  const position = new Map(files.map(({ key }, index) => [key, index]));
  entries.sort((a, b) => (position.get(a.key) ?? 0) - (position.get(b.key) ?? 0));
  const objects = stored.map(({ object }) => object);
  const sum = (value: (object: StoredObject) => number) =>
    objects.reduce((total, object) => total + value(object), 0);
  await deps.files.putItem({
    item,
    objects,
    entries: await leave(deps.bucket, filesItemKey(backupId, item, `done-${deps.attempt}`), entries),
    files: entries.length,
    bytesRead: entries.reduce(
      (total, { parts }) => total + parts.reduce((part, { bytes }) => part + bytes, 0),
      0,
    ),
    bytesStored: sum(({ storedBytes }) => storedBytes),
    stages: addStages(stored.map(({ stages }) => stages)),
    startedAt,
    storedAt: isoTime(deps.clock.now()),
  });
  // An attempt that was read back already stands.
  const record = await deps.files.getItem(item);
  if (record === undefined) throw new NotReadyError(`Item ${item} of the files is not noted.`);
  return record;
}

const contextOf = (backupId: BackupId, kind: 'files' | 'file', item: number): Record<string, string> => ({
  'mainstay:backup': backupId,
  'mainstay:component': 'files',
  'mainstay:kind': kind,
  'mainstay:item': String(item),
});

async function storePack(
  { source, place, attempt }: CopyFilesDependencies,
  backupId: BackupId,
  item: number,
  files: FilesItem,
): Promise<Stored & { entries: FileEntry[] }> {
  const compress = files.some((file) => shrinks(file));
  const pack = packFiles(source, files);
  const result = await storeObject(place, {
    kind: 'files',
    key: packKey(backupId, item, attempt, compress ? place.compression.format : 'none'),
    context: contextOf(backupId, 'files', item),
    source: pack.content,
    compress,
  });
  const entries = pack.entries.map((entry, position) => ({
    ...entry,
    parts: [{ object: 0, name: nameInPack(position), bytes: entry.size, sha256: entry.sha256 ?? '' }],
  }));
  return { ...result, entries };
}

async function storeFile(
  { source, place, attempt }: CopyFilesDependencies,
  backupId: BackupId,
  { item, index }: { item: number; index: number },
  { segment, ...file }: FilesItem[number],
): Promise<Stored & { entry: FileEntry }> {
  const { content, ...attributes } = await openFile(source, file, segment);
  const { key, versionId, size, lastModified } = file;
  const { contentType, contentEncoding } = attributes.headers;
  const compress = shrinks({ key, contentType, contentEncoding });
  const hash = createHash('sha256');
  async function* hashed(): AsyncGenerator<Buffer> {
    for await (const piece of content) {
      hash.update(piece);
      yield piece;
    }
  }
  const format = compress ? place.compression.format : 'none';
  const stored = await storeObject(place, {
    kind: 'file',
    key: fileKey(backupId, { item, index, attempt }, format),
    context: {
      ...contextOf(backupId, 'file', item),
      'mainstay:part': `${index}/${segment?.number ?? 0}`,
    },
    source: hashed(),
    compress,
  });
  const sha256 = hash.digest('hex');
  const entry = {
    ...{ key, versionId, size, lastModified },
    ...attributes,
    sha256: segment === undefined ? sha256 : null,
    parts: [{ object: 0, bytes: segment?.bytes ?? size, sha256 }],
  };
  return { ...stored, entry };
}
