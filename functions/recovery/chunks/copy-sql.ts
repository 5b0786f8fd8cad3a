import type { Client } from 'pg';
import { qualifiedName, quoteIdentifier } from '../snapshot/sql.ts';
import type { BlockRange } from '../workflow.ts';
import { storedColumn } from './describe-shard.ts';

/** What of a table is copied: its stored columns, and for an extension's table the rows it declares. */
export interface CopiedTable {
  readonly columns: readonly string[];
  /** A `WHERE` clause of the extension's, or empty. */
  readonly condition: string;
}

/** Reads what is copied of each table, by oid, inside the snapshot's transaction. */
export async function readCopiedTables(
  client: Client,
  oids: readonly number[],
): Promise<Map<number, CopiedTable>> {
  const { rows } = await client.query<{ oid: number; columns: string[]; condition: string | null }>(
    `SELECT c.oid,
            coalesce((SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
                      WHERE a.attrelid = c.oid AND ${storedColumn}), '[]') AS columns,
            (SELECT x.extcondition[array_position(x.extconfig, c.oid)] FROM pg_extension x
             WHERE c.oid = ANY (x.extconfig)) AS condition
     FROM pg_class c WHERE c.oid = ANY ($1::oid[])`,
    [[...oids]],
  );
  return new Map(rows.map(({ oid, columns, condition }) => [oid, { columns, condition: condition ?? '' }]));
}

/**
 * The COPY of one block range: a scan of just these blocks, in the order they lie in.
 *
 * @param only a condition that rows have to meet besides; default: none.
 */
export function copySql(range: BlockRange, { columns, condition }: CopiedTable, only?: string): string {
  const list = columns.map(quoteIdentifier).join(', ');
  const conditions = [
    ...rangeConditions(range),
    ...(only === undefined ? [] : [`(${only})`]),
    ...(condition === '' ? [] : [`(${condition.replace(/^\s*WHERE\s/i, '')})`]),
  ];
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  return `COPY (SELECT ${list} FROM ONLY ${qualifiedName(range)}${where}) TO STDOUT`;
}

/** What keeps a scan to the blocks of a range; nothing when it is the whole table. */
export function rangeConditions({ fromBlock, toBlock }: BlockRange): string[] {
  return [
    ...(fromBlock > 0 ? [`ctid >= '(${fromBlock},0)'::tid`] : []),
    ...(toBlock === null ? [] : [`ctid < '(${toBlock},0)'::tid`]),
  ];
}

/** How a range is called in messages. */
export function describeRange(range: BlockRange): string {
  const whole = range.fromBlock === 0 && range.toBlock === null;
  return `${qualifiedName(range)}${whole ? '' : `, blocks ${range.fromBlock} to ${range.toBlock ?? 'the end'}`}`;
}
