import type { Client } from 'pg';
import { databaseUsers } from '../../../../lib/constants.ts';
import type { RestoreId } from '../../ids.ts';
import type { ShardPlan } from '../events.ts';
import { findDatabase } from './marker.ts';
import { workSchema } from './steps.ts';

/** What a restore is to make of a server. */
export interface WantedDatabase {
  readonly restoreId: RestoreId;
  readonly database: string;
  readonly plan: Pick<ShardPlan, 'server' | 'extensions' | 'roles' | 'tables'>;
}

export interface Findings {
  /** What stops the restore. */
  readonly conflicts: string[];
  /** What will not be as it was, though every row is: it is reported as left out. */
  readonly notes: string[];
}

/**
 * Looks at a server for what would keep a backup from being restored into it, and changes nothing. How much room there
 * is on its disk is not known: Aurora's grows.
 *
 * @param client in any database of the server.
 */
export async function findConflicts(client: Client, wanted: WantedDatabase): Promise<Findings> {
  const conflicts = [
    ...(await databaseConflicts(client, wanted)),
    ...(await serverConflicts(client, wanted.plan.server)),
    ...(await extensionConflicts(client, wanted.plan.extensions)),
  ];
  if (wanted.plan.tables.some(({ schema }) => schema === workSchema)) {
    conflicts.push('The backup was taken of a database that was itself being restored.');
  }
  return { conflicts, notes: await roleNotes(client, wanted.plan.roles) };
}

async function databaseConflicts(client: Client, { restoreId, database }: WantedDatabase): Promise<string[]> {
  const conflicts: string[] = [];
  const found = await findDatabase(client, database);
  if (found !== undefined && (found.marker?.restoreId !== restoreId || found.marker.state === 'replaced')) {
    conflicts.push(`There is a database "${database}" already.`);
  }
  if (Buffer.byteLength(database) > 63) conflicts.push(`"${database}" is too long for a database's name.`);
  const { rows } = await client.query<{ creates: boolean }>(
    `SELECT rolcreatedb OR rolsuper AS creates FROM pg_catalog.pg_roles WHERE rolname = current_user`,
  );
  if (rows[0]?.creates !== true) {
    conflicts.push('The role of restores may not create databases: the bootstrap has not been run.');
  }
  return conflicts;
}

async function serverConflicts(client: Client, server: ShardPlan['server']): Promise<string[]> {
  const { rows } = await client.query<{ version: string; major: number; known: boolean }>(
    `SELECT current_setting('server_version') AS version,
            current_setting('server_version_num')::int / 10000 AS major,
            pg_catalog.pg_char_to_encoding($1) >= 0 AS known`,
    [server.encoding],
  );
  const { version = '', major = 0, known = false } = rows[0] ?? {};
  const conflicts: string[] = [];
  if (major < Math.floor(server.versionNum / 10_000)) {
    conflicts.push(`The server is PostgreSQL ${version}; the backup is of ${server.version}.`);
  }
  if (!known) conflicts.push(`The server does not know the encoding ${server.encoding}.`);
  const locale = await localeProblem(client, server);
  if (locale !== undefined) conflicts.push(locale);
  return conflicts;
}

/** Looks for the locale among the collations that the server found when it was made. */
async function localeProblem(
  client: Client,
  { localeProvider, locale, collate, ctype }: ShardPlan['server'],
): Promise<string | undefined> {
  const { rows } = await client.query<{ libc: string[]; icu: boolean }>(
    `SELECT ARRAY(SELECT DISTINCT c FROM pg_catalog.pg_collation, unnest(ARRAY[collcollate, collname::text]) c
                   WHERE collprovider = 'c' AND c IS NOT NULL
                   UNION SELECT unnest(ARRAY[datcollate, datctype]) FROM pg_catalog.pg_database) AS libc,
            EXISTS (SELECT FROM pg_catalog.pg_collation WHERE collprovider = 'i') AS icu`,
  );
  const { libc = [], icu = false } = rows[0] ?? {};
  if (localeProvider === 'icu' && !icu)
    return `The server has no ICU, which the locale ${locale ?? ''} is of.`;
  const known = new Set([...libc, 'C', 'POSIX'].map(spelling));
  const missing = [collate, ctype].find((name) => !known.has(spelling(name)));
  return missing === undefined ? undefined : `The server does not have the locale ${missing}.`;
}

/** `en_US.UTF-8` and `en_US.utf8` are one locale. */
const spelling = (name: string): string => name.toLowerCase().replace(/-/g, '');

async function extensionConflicts(client: Client, extensions: ShardPlan['extensions']): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT wanted.name FROM unnest($1::text[]) AS wanted (name)
      WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_available_extensions a WHERE a.name = wanted.name)`,
    [extensions.map(({ name }) => name)],
  );
  return rows.map(({ name }) => `The server does not have the extension "${name}".`);
}

async function roleNotes(client: Client, roles: readonly string[]): Promise<string[]> {
  const own: readonly string[] = Object.values(databaseUsers);
  const { rows } = await client.query<{ name: string }>(
    `SELECT name FROM unnest($1::text[]) AS name
      WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname = name)`,
    [roles.filter((role) => !own.includes(role))],
  );
  return rows.map(({ name }) => `There is no role "${name}": what it owned and was granted is left out.`);
}
