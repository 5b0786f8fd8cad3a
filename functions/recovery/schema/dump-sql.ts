import type { Client } from 'pg';
import { PgDumpError } from '../errors.ts';
import { quoteIdentifier, quoteLiteral } from '../snapshot/sql.ts';
import { type ShardTenant, schemaOf } from '../tenants/model.ts';
import { readExtensionsOf } from '../tenants/one-schema.ts';
import { type PgDumpOptions, pgDump } from './pg-dump.ts';

export type Section = 'pre-data' | 'post-data';

/**
 * The DDL of a section: of the whole database, or of a tenant's schema with the extensions that it needs. Where the
 * database does not have the schema, there is none.
 *
 * @throws PgDumpError NotReadyError
 */
export async function dumpSql(
  client: Client,
  section: Section,
  tenant: ShardTenant | undefined,
  options: PgDumpOptions,
): Promise<string> {
  // Statistics hold values of other tenants' rows.
  const args = [
    ...options.args,
    `--section=${section}`,
    ...(tenant === undefined ? [] : ['--no-statistics']),
  ];
  const schema = schemaOf(tenant);
  if (schema === undefined) return pgDump(client, { ...options, args });
  const extensions = await readExtensionsOf(client, schema);
  const places = section === 'pre-data' ? await placesOf(client, schema, extensions) : '';
  // Quoted, a name is no pattern to pg_dump.
  args.push(
    `--schema=${quoteIdentifier(schema)}`,
    ...extensions.map((name) => `--extension=${quoteIdentifier(name)}`),
  );
  try {
    return `${places}${await pgDump(client, { ...options, args })}`;
  } catch (error) {
    if (!isAbsent(error)) throw error;
    return '-- The database does not have the tenant’s schema.\n';
  }
}

const isAbsent = (error: unknown): boolean =>
  error instanceof PgDumpError && error.message.includes('no matching schemas were found');

/** pg_dump leaves out the schemas that extensions are in, where they are not the one that is dumped. */
async function placesOf(client: Client, schema: string, extensions: readonly string[]): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT n.nspname AS name FROM pg_catalog.pg_extension x
     JOIN pg_catalog.pg_namespace n ON n.oid = x.extnamespace
     WHERE x.extname = ANY ($1::text[]) AND n.nspname NOT IN ('pg_catalog', 'public', ${quoteLiteral(schema)}) ORDER BY 1`,
    [[...extensions]],
  );
  return rows.map(({ name }) => `CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(name)};\n`).join('');
}
