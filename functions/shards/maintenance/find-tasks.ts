import * as z from 'zod';
import type { Client } from '../../failover/probing/ask.ts';
import { mostTables, type TableTask } from './model.ts';

const rowSchema = z.object({
  schema: z.string(),
  table: z.string(),
  task: z.enum(['analyze', 'vacuum']),
  because: z.string(),
  usable: z.boolean(),
  permitted: z.boolean(),
});

/*
 * What autovacuum should have done and has not: a fifth of a table dead, three quarters of the time until it would be frozen by force
 * passed, a tenth changed since it was analysed.
 */
const sql = `SELECT t.*, has_schema_privilege(nspoid, 'USAGE') AS usable, has_table_privilege(oid, 'MAINTAIN') AS permitted FROM (
  SELECT c.oid, n.oid AS nspoid, n.nspname AS schema, c.relname AS "table", 1 AS rank, s.n_dead_tup::float8 AS weight, 'vacuum' AS task,
         CASE WHEN age(c.relfrozenxid) > 0.75 * current_setting('autovacuum_freeze_max_age')::float8
              THEN format('its oldest transaction is %s ago', age(c.relfrozenxid))
              ELSE format('%s of %s rows are dead', s.n_dead_tup, s.n_dead_tup + s.n_live_tup) END AS because
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = c.oid
   WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     AND ((s.n_dead_tup >= $1 AND s.n_dead_tup >= 0.2 * (s.n_dead_tup + s.n_live_tup))
          OR age(c.relfrozenxid) > 0.75 * current_setting('autovacuum_freeze_max_age')::float8)
  UNION ALL
  SELECT c.oid, n.oid, n.nspname, c.relname, 2, s.n_mod_since_analyze, 'analyze',
         CASE WHEN greatest(s.last_analyze, s.last_autoanalyze) IS NULL THEN 'it was never analysed'
              ELSE format('%s rows have changed since it was analysed', s.n_mod_since_analyze) END
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_stat_all_tables AS s ON s.relid = c.oid
   WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
     AND s.n_mod_since_analyze >= $1 AND s.n_mod_since_analyze >= 0.1 * s.n_live_tup
) AS t ORDER BY rank, weight DESC LIMIT ${mostTables}`;

/** Rows that have to have changed or died before a table is looked at. */
const leastRows = 1_000;

/** What tables need, as proposals, and whether this role may do it. */
export async function findTasks(client: Client, least = leastRows): Promise<TableTask[]> {
  const found = z.array(rowSchema).parse((await client.query(sql, [least])).rows);
  return found.map(({ usable, permitted, ...task }) => ({
    ...task,
    ...(permitted && usable
      ? { outcome: 'proposed' as const, reason: null }
      : {
          outcome: 'not-permitted' as const,
          reason: permitted
            ? 'mainstay_maintain may not name what is in the schema: GRANT USAGE ON SCHEMA … TO mainstay_maintain'
            : 'mainstay_maintain lacks pg_maintain: the bootstrap could not give it',
        }),
  }));
}
