import type { Client } from 'pg';
import { qualifiedName, quoteIdentifier } from '../../snapshot/sql.ts';
import { type Check, ofUser, type Subject, type Wrong } from './check.ts';

interface OwnedSequence {
  readonly schema: string;
  readonly name: string;
  readonly tableSchema: string;
  readonly table: string;
  readonly column: string;
  readonly ascending: boolean;
  readonly increment: string;
}

/** Every sequence that gives a column its values is beyond the values that the column has: the next one is free. */
export const sequences: Check = {
  kind: 'sequences',
  async list(client) {
    const { rows } = await client.query<OwnedSequence>(listSql);
    return rows.map(
      (sequence): Subject => ({
        name: qualifiedName(sequence),
        look: (own) => look(own, sequence),
      }),
    );
  },
};

async function look(client: Client, sequence: OwnedSequence): Promise<Wrong | undefined> {
  const column = quoteIdentifier(sequence.column);
  const table = qualifiedName({ schema: sequence.tableSchema, name: sequence.table });
  const { rows } = await client.query<{ behind: boolean | null }>(
    `SELECT r.reached ${sequence.ascending ? '>=' : '<='} s.next AS behind
       FROM (SELECT last_value::numeric + CASE WHEN is_called THEN $1::numeric ELSE 0 END AS next
               FROM ${qualifiedName(sequence)}) s,
            (SELECT ${sequence.ascending ? 'max' : 'min'}(${column})::numeric AS reached FROM ${table}) r`,
    [sequence.increment],
  );
  if (rows[0]?.behind !== true) return undefined;
  return {
    object: qualifiedName(sequence),
    problem: `Its next value is not beyond those that ${table}.${column} has: an insert may fail.`,
  };
}

// A sequence that starts over (CYCLE) is meant to meet old values again.
const listSql = `
  SELECT n.nspname AS schema, c.relname AS name, tn.nspname AS "tableSchema", t.relname AS table,
         a.attname AS column, s.seqincrement > 0 AS ascending, s.seqincrement::text AS increment
    FROM pg_catalog.pg_sequence s
    JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
    JOIN pg_catalog.pg_class t ON t.oid = d.refobjid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
   WHERE ${ofUser('n')} AND NOT s.seqcycle AND t.relkind IN ('r', 'p')
     AND a.atttypid IN ('int2'::pg_catalog.regtype, 'int4'::pg_catalog.regtype, 'int8'::pg_catalog.regtype,
                        'numeric'::pg_catalog.regtype)
     AND (d.deptype = 'i' OR EXISTS (
           SELECT FROM pg_catalog.pg_attrdef ad
             JOIN pg_catalog.pg_depend dd ON dd.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND dd.objid = ad.oid
            WHERE ad.adrelid = t.oid AND ad.adnum = a.attnum AND dd.refobjid = c.oid))
   ORDER BY 1, 2`;
