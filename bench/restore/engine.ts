import { systemClock } from '../../functions/recovery/clock.ts';
import { Bucket } from '../../functions/recovery/objects/bucket.ts';
import { type ComparedTable, compareRows } from '../../functions/recovery/restore/engine/compare.ts';
import { completeTarget, finishTarget } from '../../functions/recovery/restore/engine/finish-target.ts';
import { loadObjects } from '../../functions/recovery/restore/engine/load-objects.ts';
import type { EngineDependencies } from '../../functions/recovery/restore/engine/prepare-target.ts';
import { type DatabaseConnection, openConnection } from '../backup/connection.ts';
import { kmsClient, type StoreFacts, s3Client } from '../backup/store.ts';
import type { RestoreJobOf } from './job.ts';

/** No statement of a measurement takes as long. */
const limitMs = 3_600_000;

/** The server as the engine of restores reaches it. */
export const targetServer = (connection: DatabaseConnection) => ({
  connect: (database: string) => openConnection({ ...connection, database }),
  clock: systemClock,
});

/** Does something with what the engine works with, and ends the clients of the store. */
export async function withEngine<T>(
  connection: DatabaseConnection,
  store: StoreFacts,
  work: (deps: EngineDependencies) => Promise<T>,
): Promise<T> {
  const s3 = s3Client(store);
  const kms = kmsClient(store);
  try {
    const place = { bucket: new Bucket(s3, store.bucket), kms, keyArn: store.keyArn };
    return await work({ ...targetServer(connection), place, deadline: Date.now() + limitMs });
  } finally {
    s3.destroy();
    kms.destroy();
  }
}

/** Loads the rows of one item. */
export async function load({ connection, store, tables, work }: RestoreJobOf<'load'>): Promise<void> {
  await withEngine(connection, store, (deps) => loadObjects(deps, connection.database, tables, work));
}

/** Sequences, indexes, constraints, ANALYZE, and the mark that the database is complete. */
export async function finish({ connection, store, restoreId, plan }: RestoreJobOf<'finish'>): Promise<void> {
  const { database } = connection;
  await withEngine(connection, store, async (deps) => {
    const result = await finishTarget(deps, { restoreId, database, plan });
    if (result.outcome === 'again') throw new Error('The restore took too long.');
    const [leftOut] = result.leftOut;
    if (leftOut !== undefined) throw new Error(`${leftOut.object} was left out: ${leftOut.reason}`);
    await completeTarget(deps, database, restoreId);
  });
}

/** Reads the rows of one item again. */
export const compare = ({ connection, tables, work }: RestoreJobOf<'compare'>): Promise<ComparedTable[]> =>
  compareRows(targetServer(connection), connection.database, tables, work);
