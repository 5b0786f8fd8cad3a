import pg from 'pg';
import * as z from 'zod';
import type { Client } from '../../failover/probing/ask.ts';
import { mostTold, type ShardInsights } from './model.ts';

const number = z.coerce.number().min(0);

export interface BloatLimits {
  /** Dead rows fewer than this are no bloat. */
  readonly deadRows: number;
  readonly deadShare: number;
  /** Room that an index could give back, in bytes. */
  readonly spareBytes: number;
}
export const bloatLimits: BloatLimits = { deadRows: 10_000, deadShare: 0.2, spareBytes: 10 * 1_048_576 };

const tableSchema = z.object({
  ...{ schema: z.string(), table: z.string(), bytes: number, dead: number, live: number },
  vacuumed: z.date().nullable(),
});

/** Tables with many dead rows. What VACUUM has made room of already is not seen: only extensions that read the table could tell. */
export async function readTableBloat(
  client: Client,
  { deadRows, deadShare }: BloatLimits = bloatLimits,
): Promise<ShardInsights['tableBloat']> {
  const { rows } = await client.query(
    `SELECT schemaname AS schema, relname AS "table", pg_catalog.pg_table_size(relid) AS bytes, n_dead_tup AS dead, n_live_tup AS live,
            greatest(last_vacuum, last_autovacuum) AS vacuumed
       FROM pg_catalog.pg_stat_user_tables
      WHERE n_dead_tup >= $1 AND n_dead_tup >= $2::float8 * (n_dead_tup + n_live_tup)
      ORDER BY n_dead_tup DESC LIMIT ${mostTold}`,
    [deadRows, deadShare],
  );
  return z
    .array(tableSchema)
    .parse(rows)
    .map(({ schema, table, bytes, dead, live, vacuumed }) => ({
      ...{ schema, table, sizeBytes: bytes, deadRows: dead },
      deadShare: Math.round((dead / Math.max(1, dead + live)) * 1_000) / 1_000,
      lastVacuumAt: vacuumed?.toISOString() ?? null,
    }));
}

const indexSchema = z.object({
  ...{ schema: z.string(), table: z.string(), index: z.string(), bytes: number },
  ...{ valid: z.boolean(), tuples: number, width: number.nullable() },
});

/*
 * Of B-trees whose columns have types of a fixed width, what they need follows from the catalogue alone. Each column is rounded up to
 * eight bytes: rather too much is expected than too little.
 */
const indexesSql = `SELECT n.nspname AS schema, t.relname AS "table", c.relname AS index, pg_catalog.pg_relation_size(c.oid) AS bytes,
       i.indisvalid AS valid, greatest(0, c.reltuples) AS tuples,
       CASE WHEN m.amname = 'btree' THEN
         (SELECT CASE WHEN bool_and(a.attlen > 0) THEN sum(ceil(a.attlen / 8.0) * 8) END
            FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid) END AS width
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid AND c.relkind = 'i'
  JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
  JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
 WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
   AND (NOT i.indisvalid OR (pg_catalog.pg_relation_size(c.oid) > $1 AND c.reltuples > 0))
 ORDER BY i.indisvalid, 4 DESC LIMIT 1000`;

/** Indexes that are more than twice as large as they need to be, and those that are invalid. */
export async function readIndexBloat(
  client: Client,
  { spareBytes }: BloatLimits = bloatLimits,
): Promise<ShardInsights['indexBloat']> {
  const found = z.array(indexSchema).parse((await client.query(indexesSql, [spareBytes])).rows);
  return found
    .map(({ bytes, tuples, width, ...index }) => ({
      ...index,
      sizeBytes: bytes,
      expectedBytes: width === null ? bytes : Math.min(bytes, expectedBytes(tuples, width)),
      proposal: `REINDEX INDEX CONCURRENTLY ${pg.escapeIdentifier(index.schema)}.${pg.escapeIdentifier(index.index)};`,
    }))
    .filter(
      ({ valid, sizeBytes, expectedBytes: expected }) =>
        !valid || (sizeBytes > 2 * expected && sizeBytes - expected >= spareBytes),
    )
    .slice(0, mostTold);
}

const page = 8_192;
/** What a page has for entries, filled to nine tenths as a new B-tree is. */
const room = (page - 24 - 16) * 0.9;

/** What a B-tree of so many entries takes, in bytes; `width` is that of its columns. */
export function expectedBytes(tuples: number, width: number): number {
  const perEntry = 8 + width + 4;
  const leaves = Math.ceil(tuples / Math.max(1, Math.floor(room / perEntry)));
  // One page on top of about a hundred, and the first one.
  return Math.ceil(leaves * 1.01 + 2) * page;
}
