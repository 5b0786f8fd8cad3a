import * as z from 'zod';
import type { Client } from '../../failover/probing/ask.ts';
import { mostTold, type ShardInsights } from './model.ts';

const number = z.coerce.number().min(0);

/** Indexes smaller than this are not worth a word, in bytes. */
const leastBytes = 1_048_576;
/** A table whose scans read as many rows each would be better off with an index. */
const manyRows = 10_000;

const candidateSchema = z.object({
  ...{ oid: z.string(), schema: z.string(), table: z.string(), index: z.string(), bytes: number },
  twin: z.string().nullable(),
});

// What keeps rows unique or holds a constraint is used without being scanned.
const candidatesSql = `WITH indexes AS (
  SELECT i.*, n.nspname, t.relname AS "table", c.relname, pg_catalog.pg_relation_size(c.oid) AS bytes
    FROM pg_catalog.pg_index AS i
    JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid AND c.relkind = 'i'
    JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
   WHERE i.indisvalid AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'mainstay')
), spare AS (
  SELECT * FROM indexes AS i
   WHERE NOT indisunique AND NOT indisexclusion AND NOT indisreplident AND NOT indisclustered AND bytes >= $1
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE conindid = i.indexrelid)
)
SELECT i.indexrelid::text AS oid, i.nspname AS schema, i."table", i.relname AS index, i.bytes,
       (SELECT min(o.relname) FROM indexes AS o
         WHERE o.indrelid = i.indrelid AND o.indexrelid <> i.indexrelid
           AND (o.indisunique OR o.indexrelid < i.indexrelid)
           AND o.indkey::text = i.indkey::text AND o.indclass::text = i.indclass::text
           AND o.indcollation::text = i.indcollation::text AND o.indoption::text = i.indoption::text
           AND pg_get_expr(o.indexprs, o.indrelid) IS NOT DISTINCT FROM pg_get_expr(i.indexprs, i.indrelid)
           AND pg_get_expr(o.indpred, o.indrelid) IS NOT DISTINCT FROM pg_get_expr(i.indpred, i.indrelid)) AS twin
  FROM spare AS i
 ORDER BY i.bytes DESC LIMIT 1000`;

/** An index that could be one too many; whether it is scanned each instance counts for itself. */
export type Candidate = z.output<typeof candidateSchema>;

/** Indexes that nothing needs but statements, the largest first. */
export async function readCandidates(client: Client, least = leastBytes): Promise<Candidate[]> {
  return z.array(candidateSchema).parse((await client.query(candidatesSql, [least])).rows);
}

/** The indexes that this instance has scanned since it began to count. */
export async function readScanned(client: Client): Promise<string[]> {
  const { rows } = await client.query(
    'SELECT indexrelid::text AS oid FROM pg_catalog.pg_stat_user_indexes WHERE idx_scan > 0',
  );
  return z
    .array(z.object({ oid: z.string() }))
    .parse(rows)
    .map(({ oid }) => oid);
}

/** Those that have a twin, and those that no instance has scanned. */
export function unusedOf(
  candidates: readonly Candidate[],
  scanned: ReadonlySet<string>,
): ShardInsights['unusedIndexes'] {
  return candidates
    .filter(({ oid, twin }) => twin !== null || !scanned.has(oid))
    .slice(0, mostTold)
    .map(({ schema, table, index, bytes, twin }) => ({
      ...{ schema, table, index, sizeBytes: bytes, duplicateOf: twin },
      reason: twin === null ? ('never-scanned' as const) : ('duplicate' as const),
    }));
}

const missingSchema = z.object({
  ...{ schema: z.string(), table: z.string(), columns: z.array(z.string()) },
  ...{
    kind: z.enum(['foreign-key', 'sequential-scans']),
    name: z.string().nullable(),
    scans: number,
    rows: number,
  },
});

const missingSql = `SELECT * FROM (
  SELECT n.nspname AS schema, t.relname AS "table",
         ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k (num, ord)
                 JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.num ORDER BY k.ord) AS columns,
         'foreign-key' AS kind, c.conname::text AS name, 0::float8 AS scans, greatest(0, t.reltuples)::float8 AS rows
    FROM pg_catalog.pg_constraint AS c
    JOIN pg_catalog.pg_class AS t ON t.oid = c.conrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = t.relnamespace
   WHERE c.contype = 'f' AND c.conparentid = 0 AND t.reltuples >= $1
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i
                      WHERE i.indrelid = c.conrelid AND i.indisvalid AND i.indpred IS NULL
                        AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)
  UNION ALL
  SELECT s.schemaname, s.relname, '{}', 'sequential-scans', NULL, s.seq_scan, s.seq_tup_read / s.seq_scan
    FROM pg_catalog.pg_stat_user_tables AS s
   WHERE s.seq_scan > 10 AND s.seq_scan > coalesce(s.idx_scan, 0) AND s.seq_tup_read / s.seq_scan >= $1
) AS hints WHERE schema <> 'mainstay' ORDER BY kind, rows * greatest(1, scans) DESC LIMIT ${mostTold}`;

/** Foreign keys that no index serves, and large tables that are read from end to end more often than not. */
export async function readMissing(
  client: Client,
  least = manyRows,
): Promise<ShardInsights['missingIndexes']> {
  const found = z.array(missingSchema).parse((await client.query(missingSql, [least])).rows);
  return found.map(({ kind, name, scans, rows, ...where }) => ({
    ...where,
    reason: kind,
    detail:
      kind === 'foreign-key'
        ? `${name}: deleting or changing what it refers to reads all ${Math.round(rows)} rows`
        : `${Math.round(scans)} scans, of ${Math.round(rows)} rows each on average`,
  }));
}
