import dynalite from 'dynalite/db/index.js';
import type { Database, Table } from 'dynalite/types';
import { pieces } from './entries.ts';

const batchSize = 500;

/** Replaces the entries of a table's global indexes by what its items give. */
export async function rebuildIndexes(db: Database, table: Table): Promise<void> {
  const indexes = table.GlobalSecondaryIndexes ?? [];
  const prefix = (index: string) => `index-global~${table.TableName}~${index}~`;
  for (const { IndexName } of indexes) {
    await db.clear({ gte: prefix(IndexName), lt: `${prefix(IndexName)}\xff` });
  }
  const items = `item-${table.TableName}~`;
  let batch: { type: 'put'; key: string; value: unknown }[] = [];
  for await (const item of pieces(db.values({ gte: items, lt: `${items}\xff` }))) {
    for (const { index, key, item: value } of dynalite.getIndexActions(indexes, undefined, item, table)
      .puts) {
      batch.push({ type: 'put', key: prefix(index) + key, value });
    }
    if (batch.length >= batchSize) {
      await db.batch(batch);
      batch = [];
    }
  }
  await db.batch(batch);
}
