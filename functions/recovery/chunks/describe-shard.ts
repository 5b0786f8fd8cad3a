import type { Client } from 'pg';
import * as z from 'zod';
import { inBackupOf } from '../snapshot/relations.ts';
import { tenantKeySchema } from '../tenants/condition.ts';
import { describeTenant } from '../tenants/describe-tenant.ts';
import { type TenantSelection, tenantKinds } from '../tenants/model.ts';
import { columnSchema } from '../workflow.ts';
import { readLayouts, type TableLayout } from './table-layouts.ts';

const textOrNull = z.string().nullable();

/** A table with rows of its own: ordinary, or a leaf of a partition tree. */
export const tableDescriptionSchema = z.strictObject({
  oid: z.number().int(),
  schema: z.string(),
  name: z.string(),
  /** The columns in the order of the COPY text; generated ones are computed anew when restored. */
  columns: z.array(columnSchema),
  generatedColumns: z.array(z.string()),
  unlogged: z.boolean(),
  blocks: z.number().int(),
  bytes: z.number().int(),
  /** Number of its file; every rewrite gives it another. Absent in backups from before there were incremental ones. */
  filenode: z.number().int().nullable().optional(),
  /** Names its columns and their types down to what their text is made of; `null`: nothing says what it will be. */
  layout: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable()
    .optional(),
  /** Of a tenant's backup: which of its rows are in it. `none`: its DDL alone. */
  selection: z.enum(['all', 'tenant', 'none']).optional(),
  /** Where `selection` is `tenant`: by what its rows are told apart. */
  tenantKey: tenantKeySchema.optional(),
});

/** What there is to know of a database to read its backup, as of the snapshot. */
export const shardDescriptionSchema = z.strictObject({
  server: z.strictObject({
    version: z.string(),
    versionNum: z.number().int(),
    encoding: z.string(),
    collate: z.string(),
    ctype: z.string(),
    localeProvider: z.string(),
    locale: textOrNull,
    collationVersion: textOrNull,
    blockBytes: z.number().int(),
    /** Of the database; another one of the same name has another. */
    databaseOid: z.number().int().optional(),
  }),
  extensions: z.array(z.strictObject({ name: z.string(), version: z.string(), schema: z.string() })),
  tables: z.array(tableDescriptionSchema),
  /** Their rows are not stored: they are computed anew from the tables. */
  materializedViews: z.array(z.strictObject({ schema: z.string(), name: z.string() })),
  /** Roles that own something or were granted something; a backup does not hold roles. */
  roles: z.array(z.string()),
  /** Of a tenant's backup. */
  tenant: z
    .strictObject({
      id: z.string(),
      by: z.enum(tenantKinds),
      schema: z.string().optional(),
      /** Whether the database has the tenant's schema, or a table with a key column. */
      found: z.boolean(),
      /** Tables that the configuration names, and this database does not have. */
      unknownTables: z.array(z.string()),
      /** What a restore leaves out, because it refers to what is not in the backup. */
      leavesOut: z.array(z.strictObject({ object: z.string(), reason: z.string() })),
    })
    .optional(),
});
export type ShardDescription = z.output<typeof shardDescriptionSchema>;

/**
 * Reads the description inside the snapshot's transaction.
 *
 * @param tenant the one that the backup is of; default: all there is.
 * @throws PreflightError when a tenant's part cannot be told from the rest, or not be restored by itself.
 */
export async function describeShard(client: Client, tenant?: TenantSelection): Promise<ShardDescription> {
  const inBackup = inBackupOf(tenant?.by === 'schema' ? tenant.schema : undefined);
  const { rows: server } = await client.query(
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS "versionNum",
            pg_encoding_to_char(encoding) AS encoding, datcollate AS collate, datctype AS ctype,
            CASE datlocprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' ELSE 'builtin' END AS "localeProvider",
            datlocale AS locale, datcollversion AS "collationVersion",
            current_setting('block_size')::int AS "blockBytes", oid AS "databaseOid"
     FROM pg_database WHERE datname = current_database()`,
  );
  const { rows: extensions } = await client.query(
    `SELECT e.extname AS name, e.extversion AS version, n.nspname AS schema
     FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace ORDER BY 1`,
  );
  const { rows: tables } = await client.query<{ oid: number }>(
    `SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relpersistence = 'u' AS unlogged,
            (pg_relation_size(c.oid) / current_setting('block_size')::int)::float8 AS blocks,
            pg_table_size(c.oid)::float8 AS bytes,
            coalesce((SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod))
                             ORDER BY a.attnum)
                      FROM pg_attribute a WHERE a.attrelid = c.oid AND ${storedColumn}), '[]') AS columns,
            coalesce((SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
                      WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> ''),
                     '[]') AS "generatedColumns"
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND ${inBackup} ORDER BY n.nspname, c.relname`,
  );
  const { rows: materializedViews } = await client.query(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'm' AND ${inBackup} ORDER BY 1, 2`,
  );
  const { rows: roles } = await client.query<{ name: string }>(
    `SELECT DISTINCT r.rolname AS name FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
     WHERE d.refclassid = 'pg_authid'::regclass
       AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 1`,
  );
  // What they say is for incremental backups to come, which a tenant's is never the parent of.
  const layouts = tenant === undefined ? await readLayouts(client) : new Map<number, TableLayout>();
  const whole = shardDescriptionSchema.parse({
    server: server[0],
    extensions,
    tables: tables.map((table) => ({ ...table, ...layouts.get(table.oid) })),
    materializedViews,
    roles: roles.map(({ name }) => name),
  });
  return tenant === undefined ? whole : describeTenant(client, whole, tenant);
}

/** Whether attribute `a` is a column whose values are in the COPY text, in SQL. */
export const storedColumn = "a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''";
