import type { Logger } from '@aws-lambda-powertools/logger';
import type { RestoredShard } from '../catalog/restore-record.ts';
import { RestoreConflictError } from '../errors.ts';
import type { RestoreId } from '../ids.ts';
import { stragglersUntil } from '../stragglers.ts';
import { dropTarget } from './engine/target-database.ts';
import { type RestoreStores, restoreConnection } from './restore-parts.ts';

/**
 * Removes the databases of restores that were canceled, or failed and were not resumed in time, and of drills: of the one
 * given, or of all that are due. Databases of a restore that is at work, or completed and no drill's, are never touched.
 *
 * @throws the first error, after all others had their turn.
 */
export async function discardRestores(
  stores: RestoreStores,
  log: Logger,
  only?: RestoreId,
): Promise<RestoreId[]> {
  const { restores, clock } = stores;
  const discarded: RestoreId[] = [];
  const failures: unknown[] = [];
  for await (const id of restores.discardsDue(clock.now())) {
    if (only !== undefined && id !== only) continue;
    try {
      if (await discard(stores, id)) discarded.push(id);
    } catch (error) {
      log.warn('The databases of a restore could not be removed', { restoreId: id, error });
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return discarded;
}

async function discard({ restores, notes, clock }: RestoreStores, id: RestoreId): Promise<boolean> {
  const record = await restores.get(id);
  // Clusters are not for a function inside the VPC to remove.
  if (record?.pointInTime !== undefined) return false;
  if (record?.state === 'queued' || record?.state === 'running') return false;
  if (record === undefined || (record.state === 'completed' && record.drill !== true)) {
    await restores.discardDone(id);
    return true;
  }
  const own = notes(id);
  const until = stragglersUntil(Date.parse(record.finishedAt ?? ''));
  const last = !(clock.now() < until);
  for (const shard of await own.shards()) {
    if (shard.settled) continue;
    await drop({ clock }, id, shard);
    if (last) await own.setShard(shard.shard, { settled: true });
  }
  await restores.endResumability(id);
  // An invocation that outlived its restore may make the database again.
  if (last) await restores.discardDone(id);
  else await restores.discardNeeded(id, until);
  return true;
}

async function drop(
  { clock }: Pick<RestoreStores, 'clock'>,
  id: RestoreId,
  shard: RestoredShard,
): Promise<void> {
  try {
    await dropTarget({ clock, connect: restoreConnection(shard) }, id, shard.database);
  } catch (error) {
    // A database of that name that is not this restore's is why it failed.
    if (!(error instanceof RestoreConflictError)) throw error;
  }
}
