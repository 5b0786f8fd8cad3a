import type { Client } from 'pg';
import * as z from 'zod';
import { inBackupOf } from '../snapshot/relations.ts';
import { qualifiedName, quoteLiteral, sqlState } from '../snapshot/sql.ts';

/** What is stored of a shard's sequences, as JSON. */
export const sequenceValuesSchema = z.strictObject({
  formatVersion: z.literal(1),
  sequences: z.array(
    z.strictObject({
      schema: z.string(),
      name: z.string(),
      /** Decimal; a sequence may count beyond what a JSON number holds. `null`: dropped after the snapshot. */
      lastValue: z
        .string()
        .regex(/^-?\d+$/)
        .nullable(),
      isCalled: z.boolean(),
    }),
  ),
});
export type SequenceValues = z.output<typeof sequenceValuesSchema>;

interface SequenceName {
  readonly schema: string;
  readonly name: string;
}

/** Sequences read by one statement. */
const perStatement = 200;
const undefinedTable = '42P01';

/**
 * Reads the values of all sequences that the snapshot knows. Values are not part of a snapshot: they are read from the
 * live server after the rows, so that no value is lower than what a copied row has used.
 *
 * @param snapshot inside the snapshot's transaction, to know which sequences there are.
 * @param live outside of any transaction.
 * @param schema the one that the backup is of; default: all.
 */
export async function readSequences(
  snapshot: Client,
  live: Client,
  schema?: string,
): Promise<SequenceValues> {
  const { rows: names } = await snapshot.query<SequenceName>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'S' AND ${inBackupOf(schema)} ORDER BY 1, 2`,
  );
  const sequences: SequenceValues['sequences'] = [];
  for (let at = 0; at < names.length; at += perStatement) {
    sequences.push(...(await readValues(live, names.slice(at, at + perStatement))));
  }
  return { formatVersion: 1, sequences };
}

async function readValues(
  live: Client,
  names: readonly SequenceName[],
): Promise<SequenceValues['sequences']> {
  const selects = names.map(
    (sequence) =>
      `SELECT ${quoteLiteral(sequence.schema)} AS schema, ${quoteLiteral(sequence.name)} AS name,
              last_value::text AS "lastValue", is_called AS "isCalled" FROM ${qualifiedName(sequence)}`,
  );
  try {
    const { rows } = await live.query(selects.join(' UNION ALL '));
    return sequenceValuesSchema.shape.sequences.parse(rows);
  } catch (error) {
    if (sqlState(error) !== undefinedTable) throw error;
    const [only, ...others] = names;
    if (only !== undefined && others.length === 0) return [{ ...only, lastValue: null, isCalled: false }];
  }
  const values: SequenceValues['sequences'] = [];
  for (const sequence of names) values.push(...(await readValues(live, [sequence])));
  return values;
}
