import type { Client } from 'pg';
import { quoteLiteral } from './sql.ts';

/** A table, by its name and by what stays when it is renamed. */
export interface TableName {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
}

/** Leaves out the server's own schemas, and those of temporary tables. */
const ownSchemas = `n.nspname <> 'information_schema'
  AND n.nspname !~ '^pg_(catalog|toast|temp_[0-9]+|toast_temp_[0-9]+)$'`;

/**
 * Whether relation `c` in schema `n` is in a backup, in SQL: unless it is temporary, or an extension's own. Those
 * come with the extension, except the rows of tables that it declares as configuration.
 */
export const inBackup = `${ownSchemas} AND c.relpersistence <> 't' AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_extension x WHERE x.oid = d.refobjid AND c.oid = ANY (x.extconfig)))`;

/** The same, of one schema where one is given. */
export const inBackupOf = (schema: string | undefined): string =>
  schema === undefined ? inBackup : `n.nspname = ${quoteLiteral(schema)} AND ${inBackup}`;

/**
 * The tables whose locks keep a backup whole: those with rows, and the partitioned tables above them, whose
 * locks keep partitions attached. Always in the same order, so that two lockers cannot block each other.
 *
 * @param schema where the backup is of one alone.
 */
export async function listTablesToLock(client: Client, schema?: string): Promise<TableName[]> {
  const { rows } = await client.query<TableName>(
    `SELECT c.oid, n.nspname AS schema, c.relname AS name
     FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND ${inBackupOf(schema)} ORDER BY c.oid`,
  );
  return rows;
}
