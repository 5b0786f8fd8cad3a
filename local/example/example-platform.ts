import { readdir, readFile } from 'node:fs/promises';
import pg from 'pg';

const directory = new URL('sql/', import.meta.url);

/** A part of the example platform, to be run in the order of their names. */
export interface ExampleFile {
  name: string;
  sql: string;
}

/** The SQL of the example platform. */
export function exampleFiles(): Promise<ExampleFile[]> {
  return filesNamed(/\.sql$/);
}

/** The parts with names, values and tables that break careless programs; they need none of the other parts. */
export function hostileFiles(): Promise<ExampleFile[]> {
  return filesNamed(/hostile-.*\.sql$/);
}

async function filesNamed(pattern: RegExp): Promise<ExampleFile[]> {
  const names = (await readdir(directory)).filter((name) => pattern.test(name)).sort();
  return Promise.all(
    names.map(async (name) => ({ name, sql: await readFile(new URL(name, directory), 'utf8') })),
  );
}

/** How many slots the example's tenants are spread over: as many as a deployment has that does not say otherwise. */
export const exampleSlots = 4096;

export interface ExampleOptions {
  /** How to connect to the database as its master user. */
  connection: pg.ClientConfig;
  /** Name of the shard. Each has data of its own, the same ones at every first start. */
  shard: string;
  /** The slots, of 4 096, that its tenants fall into; default: any. */
  slots?: { first: number; last: number };
  /** Once it is aborted no further part is run, and what has been is undone. */
  signal?: AbortSignal;
}

/**
 * Fills a database with the example platform: tenants, users, contents and what they do, about 100 000 rows in
 * shard-a and two thirds of that in others, whose users do less, in many kinds of tables and types. All of it is there
 * afterwards, or nothing.
 *
 * @returns `present` when the database has it already; then nothing is changed.
 */
export async function loadExample({
  connection,
  shard,
  slots: { first, last } = { first: 0, last: exampleSlots - 1 },
  signal,
}: ExampleOptions): Promise<'loaded' | 'present'> {
  const files = await exampleFiles();
  const client = new pg.Client({ ...connection, application_name: 'mainstay-example' });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query(`SELECT to_regclass('platform.example_data') AS found`);
    if (rows[0]?.found !== null) return 'present';
    await client.query('BEGIN');
    await client.query(
      `SELECT set_config('example.shard', $1, true), set_config('example.first_slot', $2, true),
              set_config('example.last_slot', $3, true)`,
      [shard, String(first), String(last)],
    );
    for (const { name, sql } of files) {
      signal?.throwIfAborted();
      await client.query(sql).catch((error: Error) => {
        throw new Error(`The example platform's ${name} failed: ${error.message}`, { cause: error });
      });
    }
    await client.query('COMMIT');
    await client.query('VACUUM (ANALYZE)');
    return 'loaded';
  } finally {
    await client.end();
  }
}
