import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { LocalJson } from './local-platform.ts';

export const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const qualified = ({ schema, name }: { schema: string; name: string }): string =>
  `${quote(schema)}.${quote(name)}`;

/**
 * Connects to a shard's writer as its master user, as an operator with psql would.
 *
 * @param database default: the platform's.
 */
export async function connectTo(local: LocalJson, shard: string, database?: string): Promise<pg.Client> {
  const found = local.shards.find(({ name }) => name === shard);
  if (found === undefined) throw new Error(`There is no ${shard}.`);
  const url = new URL(found.writer.url);
  const authority = url.searchParams.get('sslrootcert') ?? '';
  url.search = '';
  if (database !== undefined) url.pathname = `/${database}`;
  const client = new pg.Client({
    connectionString: url.href,
    application_name: 'mainstay-test',
    ssl: { ca: await readFile(authority, 'utf8') },
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Runs `work` on a connection of its own. */
export async function onShard<T>(
  local: LocalJson,
  shard: string,
  work: (client: pg.Client) => Promise<T>,
  database?: string,
): Promise<T> {
  const client = await connectTo(local, shard, database);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

interface Table {
  schema: string;
  name: string;
  owner: string;
}

/** Every table with rows of its own, whoever owns it. */
async function tablesOf(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query<Table>(
    `SELECT n.nspname AS schema, c.relname AS name, pg_get_userbyid(c.relowner) AS owner
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ORDER BY 1, 2`,
  );
  return rows;
}

/** Counts the rows of all tables, each as its owner: nothing is hidden from an owner. */
export async function countAllRows(client: pg.Client): Promise<number> {
  let total = 0;
  for (const table of await tablesOf(client)) {
    await client.query(`SET ROLE ${quote(table.owner)}`);
    const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ONLY ${qualified(table)}`);
    total += Number(rows[0]?.count);
  }
  await client.query('RESET ROLE');
  return total;
}

/**
 * A digest of every table with rows of its own, of all its rows, whatever their order: but for the heartbeat's, which probes
 * write all the time.
 */
export async function digestTables(client: pg.Client): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const table of await tablesOf(client)) {
    if (table.schema === 'mainstay' && table.name === 'heartbeat') continue;
    await client.query(`SET ROLE ${quote(table.owner)}`);
    const { rows } = await client.query<{ digest: string }>(
      `SELECT count(*) || ' ' || coalesce(sum(('x' || left(md5(t::text), 15))::bit(60)::bigint), 0) AS digest
       FROM ONLY ${qualified(table)} AS t`,
    );
    digests[qualified(table)] = rows[0]?.digest ?? '';
  }
  await client.query('RESET ROLE');
  return digests;
}

export async function databasesOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database ORDER BY 1');
  return rows.map(({ datname }) => datname);
}

/**
 * The rows of a table as the lines of their COPY text, sorted.
 *
 * @param columns which, and in which order.
 * @param settings session settings that decide how a value is written.
 */
export async function copyLines(
  client: pg.Client,
  table: { schema: string; name: string },
  columns: readonly string[],
  settings: Readonly<Record<string, string>>,
): Promise<string[]> {
  const { rows } = await client.query<{ owner: string }>(
    'SELECT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE oid = $1::regclass',
    [qualified(table)],
  );
  await client.query(`SET ROLE ${quote(rows[0]?.owner ?? '')}`);
  for (const [name, value] of Object.entries(settings)) {
    await client.query('SELECT set_config($1, $2, false)', [name, value]);
  }
  const list = columns.map(quote).join(', ');
  const stream = client.query(copyTo(`COPY (SELECT ${list} FROM ONLY ${qualified(table)}) TO STDOUT`));
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  await client.query('RESET ROLE');
  return sortedLines(Buffer.concat(pieces));
}

/** Lines of COPY text as an ordered list; in COPY text a newline always ends a row. */
export function sortedLines(text: Buffer): string[] {
  const lines = text.toString('latin1').split('\n');
  if (lines.pop() !== '') throw new Error('The last line has no end.');
  return lines.sort();
}
