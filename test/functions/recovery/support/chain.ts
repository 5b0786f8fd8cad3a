import type pg from 'pg';
import type { ManifestShard } from '../../../../functions/recovery/manifest/manifest.ts';
import { pinnedSettings } from '../../../../functions/recovery/snapshot/session.ts';
import { qualifiedName, quoteIdentifier } from '../../../../functions/recovery/snapshot/sql.ts';
import type { StoredObject } from '../../../../functions/recovery/workflow.ts';
import { BackupRun, type CompleteOptions } from './run-backup.ts';
import { readContent } from './stored-content.ts';
import type { Aws, Database } from './world.ts';

/** Rows of each table of the schema `public`, by qualified name, as sorted COPY text. */
export type Contents = Record<string, string[]>;

/** One backup of a chain: what it says it holds, and what the database held at its instant. */
export interface Link {
  readonly run: BackupRun;
  readonly shard: ManifestShard;
  readonly source: Contents;
}

/** Backups of one database, each referring to the one before where it can. */
export class Chain {
  readonly #world: Aws;
  readonly #database: Database;
  readonly name: string;
  /** Contents of objects that were read before. */
  readonly #read = new Map<string, string[]>();

  constructor(world: Aws, database: Database, name: string) {
    this.#world = world;
    this.#database = database;
    this.name = name;
  }

  static async of(world: Aws, database: Database, sql: string): Promise<Chain> {
    return new Chain(world, database, await database.create(sql));
  }

  async backUp(options: CompleteOptions = {}): Promise<Link> {
    const run = new BackupRun(this.#world, this.#database, this.name);
    const holder: { source?: Contents } = {};
    const { manifest } = await run.complete({
      type: 'incremental',
      ddl: false,
      ...options,
      between: async () => {
        holder.source = await this.#contents(run);
        await options.between?.();
      },
    });
    const [shard] = manifest.manifest.shards;
    if (shard === undefined || holder.source === undefined) throw new Error('Nothing was backed up.');
    return { run, shard, source: holder.source };
  }

  /** Runs statements, each by itself, as the owner of the database. */
  async sql(...statements: string[]): Promise<void> {
    const owner = await this.#database.asOwner(this.name);
    try {
      for (const statement of statements) await owner.query(statement);
    } finally {
      await owner.end();
    }
  }

  /** Blocks of a table's heap. */
  async blocks(table: string): Promise<number> {
    const owner = await this.#database.asOwner(this.name);
    try {
      const { rows } = await owner.query<{ blocks: number }>(
        "SELECT (pg_relation_size($1::regclass) / current_setting('block_size')::int)::int AS blocks",
        [table],
      );
      return rows[0]?.blocks ?? 0;
    } finally {
      await owner.end();
    }
  }

  /** Ends what crashes leave: transactions that were prepared hold up the horizon of every later backup. */
  async endPrepared(): Promise<void> {
    const owner = await this.#database.asOwner(this.name);
    try {
      const { rows } = await owner.query<{ gid: string }>(
        'SELECT gid FROM pg_prepared_xacts WHERE database = current_database()',
      );
      for (const { gid } of rows) await owner.query(`ROLLBACK PREPARED '${gid}'`);
    } finally {
      await owner.end();
    }
  }

  /** What a backup's manifest names of the schema `public`, read back. */
  async stored({ shard }: Link): Promise<Contents> {
    const found: Contents = {};
    for (const table of shard.tables.filter(({ schema }) => schema === 'public')) {
      const objects = shard.chunks.filter(({ rows }) => rows?.range.oid === table.oid);
      const rows = await Promise.all(objects.map((object) => this.#rowsOf(object)));
      found[qualifiedName(table)] = rows.flat().sort();
    }
    return found;
  }

  async #rowsOf(object: StoredObject): Promise<string[]> {
    const known = this.#read.get(object.key);
    if (known !== undefined) return known;
    const rows = linesOf((await readContent(this.#world, object)).toString());
    this.#read.set(object.key, rows);
    return rows;
  }

  /** What the database holds at the instant of the backup, under its locks. */
  async #contents(run: BackupRun): Promise<Contents> {
    const held = await run.store.get();
    const client = await this.#database.asBackup(this.name);
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      await client.query(`SET TRANSACTION SNAPSHOT '${held?.snapshotId}'`);
      for (const [setting, value] of Object.entries(pinnedSettings)) {
        await client.query('SELECT set_config($1, $2, false)', [setting, value]);
      }
      return await contentsOf(client);
    } finally {
      await client.end();
    }
  }
}

const linesOf = (text: string): string[] => (text === '' ? [] : text.slice(0, -1).split('\n'));

/** Every column as text, escaped as COPY does what appears in these tests. */
async function contentsOf(client: pg.Client): Promise<Contents> {
  const { rows: tables } = await client.query<{ schema: string; name: string; columns: string[] }>(
    `SELECT n.nspname AS schema, c.relname AS name,
            (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') AS columns
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname = 'public'`,
  );
  const found: Contents = {};
  for (const table of tables) {
    const columns = (table.columns ?? []).map((name) => `${quoteIdentifier(name)}::text`);
    const { rows } = await client.query<(string | null)[]>({
      text: `SELECT ${columns.join(', ')} FROM ONLY ${qualifiedName(table)}`,
      rowMode: 'array',
    });
    found[qualifiedName(table)] = rows
      .map((row) => row.map((value) => value?.replaceAll('\\', '\\\\') ?? '\\N').join('\t'))
      .sort();
  }
  return found;
}

/** Names of the tables of which at least one object is another backup's. */
export function referredTables({ run, shard }: Link): string[] {
  const referred = shard.chunks.filter(({ key }) => !key.startsWith(`backups/${run.id}/`));
  return [...new Set(referred.map(({ rows }) => rows?.range.name ?? ''))].sort();
}
