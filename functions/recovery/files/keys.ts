import type { BackupId, RestoreId } from '../ids.ts';
import { backupPrefix, restorePrefix } from '../objects/object-keys.ts';
import type { Compression } from '../stages/compress.ts';

const extension = { zstd: '.zst', gzip: '.gz', none: '' } as const;
type Format = Compression['format'] | 'none';

/** All about the files of a backup lies below this. */
export const filesPrefix = (id: BackupId): string => `${backupPrefix(id)}files/`;

const numbered = (item: number): string => String(item).padStart(6, '0');

/** What the functions of a backup of files hand to each other. */
export const filesWorkKey = (id: BackupId, name: string): string => `${filesPrefix(id)}work/${name}`;

/** The files of one work item, and what became of them. */
export const filesItemKey = (id: BackupId, item: number, what: 'todo' | `done-${string}`): string =>
  filesWorkKey(id, `${numbered(item)}-${what}.json`);

/** A pack of small files. Every attempt has a name of its own. */
export const packKey = (id: BackupId, item: number, attempt: string, format: Format): string =>
  `${filesPrefix(id)}${numbered(item)}-pack-${attempt}.tar${extension[format]}.enc`;

/** A file of its own, or a segment of one. */
export const fileKey = (
  id: BackupId,
  part: { item: number; index: number; attempt: string },
  format: Format,
): string =>
  `${filesPrefix(id)}${numbered(part.item)}-${String(part.index).padStart(3, '0')}-${part.attempt}${extension[format]}.enc`;

/** The list of all files. */
export const filesIndexKey = (id: BackupId, attempt: string, format: Format): string =>
  `${filesPrefix(id)}index-${attempt}.ndjson${extension[format]}.enc`;

/** The files that one invocation restores, and the list of these. */
export const restoredFilesKey = (id: RestoreId, name: string): string =>
  `${restorePrefix(id)}files/${name}.json`;
