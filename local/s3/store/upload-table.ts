import { randomBytes } from 'node:crypto';
import type { StatementSync } from 'node:sqlite';
import type { ChecksumAlgorithm } from '../checksums/digests.ts';
import type { Checksum, ObjectAttributes, PartSummary } from '../model.ts';
import { type Database, integer, keyBytes, keyText, type Row, text } from './database.ts';

/** An upload in parts that is under way. */
export interface Upload {
  bucket: string;
  key: string;
  uploadId: string;
  createdAt: number;
  storageClass: string;
  attributes: ObjectAttributes;
  /** How the object's checksum will be made. */
  checksum: { algorithm: ChecksumAlgorithm; type: Checksum['type'] };
  /** Whether the client chose the algorithm: then every part has to come with it. */
  checksumChosen: boolean;
}

/** A part that has been stored. */
export interface StoredPart extends PartSummary {
  checksum: Checksum;
  createdAt: number;
  file: string;
}

/** Uploads under way and their parts. */
export class UploadTable {
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(database: Database) {
    this.#statements = prepareStatements((sql) => database.prepare(sql));
  }

  /** Starts an upload. Upload ids of one key sort by their time. */
  create(draft: Omit<Upload, 'uploadId'>): Upload {
    const uploadId = draft.createdAt.toString(16).padStart(12, '0') + randomBytes(26).toString('hex');
    const upload = { ...draft, uploadId };
    this.#statements.insert.run(
      upload.bucket,
      keyBytes(upload.key),
      uploadId,
      upload.createdAt,
      JSON.stringify(upload),
    );
    return upload;
  }

  get(bucket: string, key: string, uploadId: string): Upload | undefined {
    const row = this.#statements.get.get(bucket, keyBytes(key), uploadId);
    return row && uploadOf(row);
  }

  /** Stores a part. @returns the file of the part it replaces. */
  putPart(uploadId: string, part: StoredPart): string | undefined {
    const replaced = this.part(uploadId, part.number);
    this.#statements.putPart.run(
      uploadId,
      part.number,
      part.createdAt,
      part.size,
      part.etag,
      JSON.stringify(part.checksum),
      part.file,
    );
    return replaced?.file;
  }

  part(uploadId: string, number: number): StoredPart | undefined {
    const row = this.#statements.part.get(uploadId, number);
    return row && partOf(row);
  }

  /** Up to `limit` parts whose numbers are above `after`, by number. */
  parts(uploadId: string, after = 0, limit = 10_000): StoredPart[] {
    return this.#statements.parts.all(uploadId, after, limit).map(partOf);
  }

  /** Forgets an upload and its parts. @returns the files of its parts. */
  remove(upload: Upload): string[] {
    const files = this.parts(upload.uploadId).map((part) => part.file);
    this.#statements.removeParts.run(upload.uploadId);
    this.#statements.remove.run(upload.bucket, keyBytes(upload.key), upload.uploadId);
    return files;
  }

  hasFile(file: string): boolean {
    return this.#statements.hasFile.get(file) !== undefined;
  }

  /** Uploads whose keys are in `[from, to)`, by key and id; of the key `from` only ids after `afterId`, where given. */
  *list(bucket: string, from: Buffer, to: Buffer, afterId?: string): Generator<Upload> {
    let start = from;
    if (afterId !== undefined) {
      for (const row of this.#statements.ofKey.iterate(bucket, from, afterId)) yield uploadOf(row);
      start = Buffer.concat([from, Buffer.of(0)]);
    }
    for (const row of this.#statements.list.iterate(bucket, start, to)) yield uploadOf(row);
  }
}

function prepareStatements(prepare: (sql: string) => StatementSync) {
  const partColumns = 'number, created_at, size, etag, checksum, file';
  return {
    insert: prepare(
      'INSERT INTO uploads (bucket, key, upload_id, created_at, upload) VALUES (?, ?, ?, ?, ?)',
    ),
    get: prepare('SELECT key, upload FROM uploads WHERE bucket = ? AND key = ? AND upload_id = ?'),
    remove: prepare('DELETE FROM uploads WHERE bucket = ? AND key = ? AND upload_id = ?'),
    list: prepare(
      'SELECT key, upload FROM uploads WHERE bucket = ? AND key >= ? AND key < ? ORDER BY key, upload_id',
    ),
    ofKey: prepare(
      'SELECT key, upload FROM uploads WHERE bucket = ? AND key = ? AND upload_id > ? ORDER BY upload_id',
    ),
    putPart: prepare(
      `INSERT OR REPLACE INTO parts (upload_id, number, created_at, size, etag, checksum, file)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    part: prepare(`SELECT ${partColumns} FROM parts WHERE upload_id = ? AND number = ?`),
    parts: prepare(
      `SELECT ${partColumns} FROM parts WHERE upload_id = ? AND number > ? ORDER BY number LIMIT ?`,
    ),
    removeParts: prepare('DELETE FROM parts WHERE upload_id = ?'),
    hasFile: prepare('SELECT 1 FROM parts WHERE file = ?'),
  };
}

function uploadOf(row: Row): Upload {
  const upload: Upload = JSON.parse(text(row.upload));
  return { ...upload, key: keyText(row.key) };
}

function partOf(row: Row): StoredPart {
  return {
    number: integer(row.number),
    createdAt: integer(row.created_at),
    size: integer(row.size),
    etag: text(row.etag),
    file: text(row.file),
    checksum: JSON.parse(text(row.checksum)),
  };
}
