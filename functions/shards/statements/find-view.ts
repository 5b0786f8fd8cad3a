import pg from 'pg';
import * as z from 'zod';
import type { Client } from '../../failover/probing/ask.ts';

const rowsSchema = z.array(z.object({ schema: z.string() }));

/**
 * Where the statistics of statements are in this database, as SQL names it; undefined where the extension `pg_stat_statements` is
 * not there.
 */
export async function findStatements(client: Client): Promise<string | undefined> {
  const { rows } = await client.query(
    `SELECT n.nspname AS schema
       FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
      WHERE e.extname = 'pg_stat_statements'`,
  );
  const [row] = rowsSchema.parse(rows);
  return row === undefined ? undefined : `${pg.escapeIdentifier(row.schema)}.pg_stat_statements`;
}

/** Statements of this database that are none of Mainstay's own: backups and restores take their time. */
export const foreignStatements = `s.queryid IS NOT NULL
   AND s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
   AND s.userid NOT IN (SELECT oid FROM pg_catalog.pg_roles WHERE rolname LIKE 'mainstay\\_%' OR rolname = 'rdsadmin')`;
