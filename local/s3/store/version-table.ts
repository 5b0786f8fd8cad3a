import type { StatementSync } from 'node:sqlite';
import { isChecksumAlgorithm } from '../checksums/digests.ts';
import type { DataFile, ObjectAttributes, ObjectDraft, StoredVersion, VersionEntry } from '../model.ts';
import { type Database, integer, keyBytes, keyText, optionalText, type Row, text } from './database.ts';
import { createVersionId, nullVersionId } from './version-id.ts';

const entryColumns =
  'sequence, key, version_id, latest, delete_marker, created_at, size, etag, storage_class, checksum_algorithm, checksum_type';
const allColumns = `${entryColumns}, upload_id, attributes`;

/** All versions of all objects, with the files that hold their bytes. Knows nothing of versioning rules. */
export class VersionTable {
  readonly #statements: ReturnType<typeof prepareStatements>;
  #lastSequence: number;

  constructor(database: Database) {
    this.#statements = prepareStatements((sql) => database.prepare(sql));
    const row = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'versions'").get();
    this.#lastSequence = row ? integer(row.seq) : 0;
  }

  /** The newest version of a key, which may be a delete marker. */
  latest(bucket: string, key: string): StoredVersion | undefined {
    return optionalVersion(this.#statements.latest.get(bucket, keyBytes(key)));
  }

  byId(bucket: string, key: string, versionId: string): StoredVersion | undefined {
    return optionalVersion(this.#statements.byId.get(bucket, keyBytes(key), versionId));
  }

  /** The version that was made of an upload. */
  byUpload(bucket: string, key: string, uploadId: string): StoredVersion | undefined {
    return optionalVersion(this.#statements.byUpload.get(bucket, keyBytes(key), uploadId));
  }

  bySequence(sequence: number): StoredVersion | undefined {
    return optionalVersion(this.#statements.bySequence.get(sequence));
  }

  /** Adds the newest version of its key. @returns it with its new version id. */
  insert(
    bucket: string,
    draft: ObjectDraft,
    options: { versioned: boolean; deleteMarker: boolean },
    files: readonly DataFile[],
  ): StoredVersion {
    const sequence = ++this.#lastSequence;
    const versionId = options.versioned ? createVersionId(sequence) : nullVersionId;
    const key = keyBytes(draft.key);
    const checksum = draft.attributes.checksum;
    this.#statements.demote.run(bucket, key);
    this.#statements.insert.run(
      sequence,
      bucket,
      key,
      versionId,
      options.deleteMarker ? 1 : 0,
      draft.createdAt,
      draft.size,
      draft.etag,
      draft.storageClass,
      checksum?.algorithm ?? null,
      checksum?.type ?? null,
      draft.uploadId ?? null,
      JSON.stringify(draft.attributes),
    );
    for (const [position, { file, size }] of files.entries()) {
      this.#statements.insertFile.run(file, sequence, position, size);
    }
    return {
      ...draft,
      sequence,
      versionId,
      latest: true,
      deleteMarker: options.deleteMarker,
      ...(checksum && { checksumAlgorithm: checksum.algorithm, checksumType: checksum.type }),
    };
  }

  /** Removes a version; the one before it becomes the latest. @returns the files that nothing needs any more. */
  remove(bucket: string, version: VersionEntry): DataFile[] {
    const files = this.files(version.sequence);
    this.#statements.removeFiles.run(version.sequence);
    this.#statements.remove.run(version.sequence);
    if (version.latest) {
      const key = keyBytes(version.key);
      this.#statements.promote.run(bucket, key);
    }
    return files;
  }

  setAttributes(sequence: number, attributes: ObjectAttributes): void {
    this.#statements.setAttributes.run(JSON.stringify(attributes), sequence);
  }

  setStorageClass(sequence: number, storageClass: string): void {
    this.#statements.setStorageClass.run(storageClass, sequence);
  }

  /** The files of a version in the order of its bytes. */
  files(sequence: number): DataFile[] {
    return this.#statements.files.all(sequence).map((row) => ({
      file: text(row.file),
      size: integer(row.size),
    }));
  }

  hasFile(file: string): boolean {
    return this.#statements.hasFile.get(file) !== undefined;
  }

  isEmpty(bucket: string): boolean {
    return this.#statements.any.get(bucket) === undefined;
  }

  /** Objects, without delete markers and old versions, whose keys are in `[from, to)`, by key. */
  *visible(bucket: string, from: Buffer, to: Buffer): Generator<VersionEntry> {
    for (const row of this.#statements.visible.iterate(bucket, from, to)) yield entryOf(row);
  }

  /**
   * Versions whose keys are in `[from, to)`, by key and from new to old; of the key `from` itself only
   * those older than the sequence `before`, where given.
   */
  *versions(bucket: string, from: Buffer, to: Buffer, before?: number): Generator<VersionEntry> {
    let start = from;
    if (before !== undefined) {
      for (const row of this.#statements.older.iterate(bucket, from, before)) yield entryOf(row);
      start = Buffer.concat([from, Buffer.of(0)]);
    }
    for (const row of this.#statements.versions.iterate(bucket, start, to)) yield entryOf(row);
  }
}

function prepareStatements(prepare: (sql: string) => StatementSync) {
  const inRange = 'bucket = ? AND key >= ? AND key < ?';
  const visible = 'latest = 1 AND delete_marker = 0';
  return {
    latest: prepare(`SELECT ${allColumns} FROM versions WHERE bucket = ? AND key = ? AND latest = 1`),
    byId: prepare(`SELECT ${allColumns} FROM versions WHERE bucket = ? AND key = ? AND version_id = ?`),
    byUpload: prepare(`SELECT ${allColumns} FROM versions WHERE bucket = ? AND key = ? AND upload_id = ?`),
    bySequence: prepare(`SELECT ${allColumns} FROM versions WHERE sequence = ?`),
    demote: prepare('UPDATE versions SET latest = 0 WHERE bucket = ? AND key = ? AND latest = 1'),
    insert: prepare(
      `INSERT INTO versions (sequence, bucket, key, version_id, latest, delete_marker, created_at, size, etag,
        storage_class, checksum_algorithm, checksum_type, upload_id, attributes)
       VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    insertFile: prepare('INSERT INTO files (file, sequence, position, size) VALUES (?, ?, ?, ?)'),
    remove: prepare('DELETE FROM versions WHERE sequence = ?'),
    removeFiles: prepare('DELETE FROM files WHERE sequence = ?'),
    promote: prepare(
      `UPDATE versions SET latest = 1 WHERE sequence =
        (SELECT sequence FROM versions WHERE bucket = ? AND key = ? ORDER BY sequence DESC LIMIT 1)`,
    ),
    setAttributes: prepare('UPDATE versions SET attributes = ? WHERE sequence = ?'),
    setStorageClass: prepare('UPDATE versions SET storage_class = ? WHERE sequence = ?'),
    files: prepare('SELECT file, size FROM files WHERE sequence = ? ORDER BY position'),
    hasFile: prepare('SELECT 1 FROM files WHERE file = ?'),
    any: prepare('SELECT 1 FROM versions WHERE bucket = ? LIMIT 1'),
    visible: prepare(`SELECT ${entryColumns} FROM versions WHERE ${inRange} AND ${visible} ORDER BY key`),
    versions: prepare(`SELECT ${entryColumns} FROM versions WHERE ${inRange} ORDER BY key, sequence DESC`),
    older: prepare(
      `SELECT ${entryColumns} FROM versions WHERE bucket = ? AND key = ? AND sequence < ? ORDER BY sequence DESC`,
    ),
  };
}

function entryOf(row: Row): VersionEntry {
  const algorithm = optionalText(row.checksum_algorithm);
  const type = optionalText(row.checksum_type);
  return {
    sequence: integer(row.sequence),
    key: keyText(row.key),
    versionId: text(row.version_id),
    latest: row.latest === 1,
    deleteMarker: row.delete_marker === 1,
    createdAt: integer(row.created_at),
    size: integer(row.size),
    etag: text(row.etag),
    storageClass: text(row.storage_class),
    ...(algorithm !== undefined && isChecksumAlgorithm(algorithm) && { checksumAlgorithm: algorithm }),
    ...((type === 'FULL_OBJECT' || type === 'COMPOSITE') && { checksumType: type }),
  };
}

function optionalVersion(row: Row | undefined): StoredVersion | undefined {
  if (!row) return undefined;
  const uploadId = optionalText(row.upload_id);
  return {
    ...entryOf(row),
    attributes: JSON.parse(text(row.attributes)),
    ...(uploadId !== undefined && { uploadId }),
  };
}
