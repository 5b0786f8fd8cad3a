import type { Client } from 'pg';
import { inBackup } from '../snapshot/relations.ts';
import { type Beyond, maxBeyond } from './one-schema.ts';
import type { SelectedTables } from './select-tables.ts';

interface ForeignKey {
  readonly object: string;
  readonly table: number;
  readonly referred: number;
  readonly name: string;
}

/** A constraint of a partition that came with that of the table above is not said twice. */
const foreignKeysSql = `
  SELECT pg_catalog.pg_describe_object('pg_catalog.pg_constraint'::regclass, o.oid, 0) AS object,
         o.conrelid AS table, o.confrelid AS referred, o.confrelid::regclass::text AS name
  FROM pg_catalog.pg_constraint o JOIN pg_catalog.pg_class c ON c.oid = o.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE o.contype = 'f' AND o.conparentid = 0 AND ${inBackup} ORDER BY 1`;

/**
 * The foreign keys of copied rows to tables of which not every row that they may refer to is copied. A restore leaves out
 * those that do refer to a missing row.
 */
export async function readMissingRows(client: Client, tables: SelectedTables['tables']): Promise<Beyond[]> {
  const { rows } = await client.query<ForeignKey>(foreignKeysSql);
  const selectionOf = (oid: number) => tables.get(oid)?.selection ?? 'none';
  return rows
    .filter(({ table, referred }) => {
      const [own, other] = [selectionOf(table), selectionOf(referred)];
      return own !== 'none' && other !== 'all' && !(own === 'tenant' && other === 'tenant');
    })
    .slice(0, maxBeyond)
    .map(({ object, name }) => ({
      object,
      reason: `Rows of ${name} that it may refer to are not in the backup.`,
    }));
}
