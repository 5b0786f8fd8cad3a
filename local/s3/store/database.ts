import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';

/** A row as SQLite hands it out. */
export type Row = Record<string, SQLOutputValue>;

const schemaVersion = 1;

// Keys are blobs: they compare byte by byte, which is the order S3 lists keys in, and hold any character.
const schema = `
  CREATE TABLE buckets (name TEXT PRIMARY KEY, bucket TEXT NOT NULL) WITHOUT ROWID;

  CREATE TABLE versions (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket TEXT NOT NULL,
    key BLOB NOT NULL,
    version_id TEXT NOT NULL,
    latest INTEGER NOT NULL,
    delete_marker INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    storage_class TEXT NOT NULL,
    checksum_algorithm TEXT,
    checksum_type TEXT,
    upload_id TEXT,
    attributes TEXT NOT NULL
  );
  CREATE UNIQUE INDEX versions_by_id ON versions (bucket, key, version_id);
  CREATE INDEX versions_by_age ON versions (bucket, key, sequence DESC);
  CREATE UNIQUE INDEX latest_versions ON versions (bucket, key) WHERE latest = 1;
  CREATE INDEX visible_objects ON versions (bucket, key) WHERE latest = 1 AND delete_marker = 0;

  CREATE TABLE files (
    file TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    position INTEGER NOT NULL,
    size INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX files_of_version ON files (sequence, position);

  CREATE TABLE uploads (
    bucket TEXT NOT NULL,
    key BLOB NOT NULL,
    upload_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    upload TEXT NOT NULL,
    PRIMARY KEY (bucket, key, upload_id)
  ) WITHOUT ROWID;
  CREATE TABLE parts (
    upload_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    checksum TEXT NOT NULL,
    file TEXT NOT NULL,
    PRIMARY KEY (upload_id, number)
  ) WITHOUT ROWID;
  CREATE INDEX parts_by_file ON parts (file);
`;

/**
 * The index of all buckets: one SQLite file, used from one process. A transaction that was committed
 * survives a kill of the process at any instant.
 */
export class Database {
  readonly #connection: DatabaseSync;
  #depth = 0;
  #afterCommit: (() => void)[] = [];

  /** @throws when the file was written with another schema. */
  constructor(path: string) {
    this.#connection = new DatabaseSync(path);
    // The log is synced to disk only before it is merged: enough for the index to stay sound after a
    // power failure, while the end of a process loses nothing that was written at all.
    this.#connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    const version = integer(this.#connection.prepare('PRAGMA user_version').get()?.user_version);
    if (version === 0) {
      this.transaction(() => {
        this.#connection.exec(schema);
        this.#connection.exec(`PRAGMA user_version = ${schemaVersion}`);
      });
    } else if (version !== schemaVersion) {
      throw new Error(`${path} holds version ${version} of the S3 index, expected ${schemaVersion}`);
    }
  }

  prepare(sql: string): StatementSync {
    return this.#connection.prepare(sql);
  }

  /** Runs `work` so that all of its changes last or none; inside another transaction it is part of that. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.#connection.exec('BEGIN IMMEDIATE');
    this.#depth++;
    let result: T;
    try {
      result = work();
      this.#connection.exec('COMMIT');
    } catch (error) {
      this.#afterCommit = [];
      this.#connection.exec('ROLLBACK');
      throw error;
    } finally {
      this.#depth--;
    }
    const actions = this.#afterCommit;
    this.#afterCommit = [];
    for (const action of actions) action();
    return result;
  }

  /** Runs `action` once the transaction under way has been committed; not at all if it is rolled back. */
  afterCommit(action: () => void): void {
    this.#afterCommit.push(action);
  }

  close(): void {
    if (this.#connection.isOpen) this.#connection.close();
  }
}

/** An object key as it is stored. */
export function keyBytes(key: string): Buffer {
  return Buffer.from(key, 'utf8');
}

/** Reads a column that holds a whole number. */
export function integer(value: SQLOutputValue | undefined): number {
  if (typeof value !== 'number') throw new TypeError(`expected a number in the S3 index, found ${value}`);
  return value;
}

/** Reads a column that holds text. */
export function text(value: SQLOutputValue | undefined): string {
  if (typeof value !== 'string') throw new TypeError(`expected text in the S3 index, found ${value}`);
  return value;
}

/** Reads a column that holds text or nothing. */
export function optionalText(value: SQLOutputValue | undefined): string | undefined {
  return value === null || value === undefined ? undefined : text(value);
}

/** Reads a column that holds an object key. */
export function keyText(value: SQLOutputValue | undefined): string {
  if (!(value instanceof Uint8Array)) throw new TypeError(`expected a key in the S3 index, found ${value}`);
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8');
}
