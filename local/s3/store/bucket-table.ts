import type { StatementSync } from 'node:sqlite';
import type { Bucket } from '../model.ts';
import { type Database, type Row, text } from './database.ts';

/** The buckets by name. They are few and read with every request, so they are also kept in memory. */
export class BucketTable {
  readonly #save: StatementSync;
  readonly #remove: StatementSync;
  readonly #buckets = new Map<string, Bucket>();

  constructor(database: Database) {
    this.#save = database.prepare('INSERT OR REPLACE INTO buckets (name, bucket) VALUES (?, ?)');
    this.#remove = database.prepare('DELETE FROM buckets WHERE name = ?');
    for (const row of database.prepare('SELECT bucket FROM buckets').all()) {
      const bucket = bucketOf(row);
      this.#buckets.set(bucket.name, bucket);
    }
  }

  get(name: string): Bucket | undefined {
    return this.#buckets.get(name);
  }

  /** All buckets by name. */
  list(): Bucket[] {
    return [...this.#buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  save(bucket: Bucket): void {
    this.#save.run(bucket.name, JSON.stringify(bucket));
    this.#buckets.set(bucket.name, bucket);
  }

  remove(name: string): void {
    this.#remove.run(name);
    this.#buckets.delete(name);
  }
}

function bucketOf(row: Row): Bucket {
  return JSON.parse(text(row.bucket));
}
