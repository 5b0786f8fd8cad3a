import type { Client } from 'pg';
import { sha256Of } from '../hash.ts';
import { inBackup } from '../snapshot/relations.ts';

/** What says whether the bytes of a table's rows mean what they meant in an earlier snapshot. */
export interface TableLayout {
  /** Number of its file; every rewrite gives it another. `null`: it has none. */
  readonly filenode: number | null;
  /**
   * SHA-256 of its columns and of all that their types are made of. `null`: the text of its rows does not follow
   * from the rows alone.
   */
  readonly layout: string | null;
}

/**
 * Output functions that are not immutable only because of settings, which are pinned, or because of the types that they
 * are made of, which are looked at. Others give the names of things (`regclass`, `regrole`, `aclitem`), which may be
 * renamed, or do what only their author knows.
 */
const pinnedOutputs = [
  'array_out',
  'cash_out',
  'date_out',
  'enum_out',
  'interval_out',
  'multirange_out',
  'range_out',
  'record_out',
  'time_out',
  'timestamp_out',
  'timestamptz_out',
  'timetz_out',
];

/** A column that was dropped and added anew has another number under the same name. */
const tablesSql = `
  SELECT c.oid, pg_catalog.pg_relation_filenode(c.oid) AS filenode,
         am.amhandler = 'pg_catalog.heap_tableam_handler'::pg_catalog.regproc
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_extension x
                           WHERE x.extcondition[array_position(x.extconfig, c.oid)] <> '') AS plain,
         coalesce((SELECT json_agg(json_build_array(a.attnum, a.attname, a.atttypid::int8, a.atttypmod) ORDER BY a.attnum)
                   FROM pg_catalog.pg_attribute a
                   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
                  '[]') AS columns
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_am am ON am.oid = c.relam
  WHERE c.relkind = 'r' AND ${inBackup}`;

/** Of each type that a column has: all types in it, elements, attributes, bounds, base types, with what they are made of. */
const typesSql = `
  WITH RECURSIVE reached (root, type) AS (
    SELECT DISTINCT a.atttypid, a.atttypid
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind = 'r' AND ${inBackup} AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    UNION
    SELECT r.root, inner_type.oid
    FROM reached r JOIN pg_catalog.pg_type t ON t.oid = r.type
    CROSS JOIN LATERAL (
      SELECT t.typelem UNION ALL SELECT t.typbasetype
      UNION ALL SELECT g.rngsubtype FROM pg_catalog.pg_range g WHERE t.oid IN (g.rngtypid, g.rngmultitypid)
      UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) inner_type (oid)
    WHERE inner_type.oid <> 0
  )
  SELECT r.root::int8::text AS type,
         bool_and(o.provolatile = 'i' OR o.oid < 16384 AND o.proname = ANY ($1::text[])) AS stable,
         json_agg(json_build_array(t.oid::int8, t.typtype, t.typoutput::oid::int8, t.typelem::int8, t.typbasetype::int8,
           (SELECT json_agg(json_build_array(e.oid::int8, e.enumlabel) ORDER BY e.oid)
            FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
           (SELECT json_agg(json_build_array(a.attnum, a.attname, a.atttypid::int8, a.atttypmod) ORDER BY a.attnum)
            FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
           (SELECT g.rngsubtype::int8 FROM pg_catalog.pg_range g WHERE t.oid IN (g.rngtypid, g.rngmultitypid)))
           ORDER BY t.oid)::text AS parts
  FROM reached r JOIN pg_catalog.pg_type t ON t.oid = r.type JOIN pg_catalog.pg_proc o ON o.oid = t.typoutput
  GROUP BY r.root`;

type Column = readonly [number: number, name: string, type: number, modifier: number];

/** Reads the layouts of all tables, by oid, inside the snapshot's transaction and under its locks. */
export async function readLayouts(client: Client): Promise<Map<number, TableLayout>> {
  const { rows: types } = await client.query<{ type: string; stable: boolean; parts: string }>(typesSql, [
    pinnedOutputs,
  ]);
  const partsOf = new Map(types.map(({ type, stable, parts }) => [Number(type), stable ? parts : null]));
  const { rows: tables } = await client.query<{
    oid: number;
    filenode: number | null;
    plain: boolean;
    columns: Column[];
  }>(tablesSql);
  return new Map(
    tables.map(({ oid, filenode, plain, columns }) => [
      oid,
      { filenode, layout: plain ? layoutOf(columns, partsOf) : null },
    ]),
  );
}

function layoutOf(columns: readonly Column[], partsOf: ReadonlyMap<number, string | null>): string | null {
  const parts = columns.map(([, , type]) => partsOf.get(type) ?? null);
  return parts.includes(null) ? null : sha256Of(JSON.stringify([columns, parts]));
}
