import type { Client } from 'pg';
import type { SnapshotOrigin } from '../catalog/snapshot-store.ts';
import type { BackupId } from '../ids.ts';
import { backupPrefix } from '../objects/object-keys.ts';
import { qualifiedName } from '../snapshot/sql.ts';
import type { BlockRange, PlannedRange, StoredObject } from '../workflow.ts';
import { type CopiedTable, rangeConditions } from './copy-sql.ts';
import { mayBeOfSql, windowSince } from './visibility.ts';

/** Whether an object was stored by this backup, rather than by one that it refers to. */
export const isOwn = (backupId: BackupId, { key }: Pick<StoredObject, 'key'>): boolean =>
  key.startsWith(backupPrefix(backupId));

/** The blocks of a planned range, without what they may be referred to as. */
export const blocksOf = ({ oid, schema, name, fromBlock, toBlock }: BlockRange): BlockRange => ({
  oid,
  schema,
  name,
  fromBlock,
  toBlock,
});

/**
 * Asks the database whether the rows of a range are those of the earlier backup's object: as many are visible, and
 * none is of a transaction that the earlier snapshot did not see as ended.
 *
 * @param client inside the snapshot's transaction, with the table locked.
 * @returns the object under the range that it stands for now; nothing when the rows have to be copied.
 */
export async function referTo(
  client: Client,
  origin: SnapshotOrigin,
  range: PlannedRange,
  table: CopiedTable,
): Promise<StoredObject | undefined> {
  const { previous } = range;
  if (previous?.object.rows === undefined || table.condition !== '') return undefined;
  const window = windowSince(previous.xmin, origin.snapshot);
  if (window === undefined) return undefined;
  const conditions = rangeConditions(range);
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  const { rows } = await client.query<{ count: string; changed: boolean }>(
    `SELECT count(*) AS count, coalesce(bool_or(${mayBeOfSql(window)}), false) AS changed
     FROM ONLY ${qualifiedName(range)}${where}`,
  );
  const [found] = rows;
  const { object } = previous;
  if (found === undefined || found.changed || Number(found.count) !== object.rows?.count) return undefined;
  return { ...object, rows: { ...object.rows, range: blocksOf(range) } };
}
