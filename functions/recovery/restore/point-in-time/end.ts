import type { RestoreCatalog } from '../../catalog/restore-catalog.ts';
import type { RestoreNotes } from '../../catalog/restore-notes.ts';
import type { RestoreRecord } from '../../catalog/restore-record.ts';
import { type Clock, isoTime } from '../../clock.ts';
import { RestoreConflictError, RestoreNotRunningError } from '../../errors.ts';
import type { RestoreId } from '../../ids.ts';
import type { RestoredCluster } from './record.ts';

interface EndDependencies {
  readonly restores: RestoreCatalog;
  readonly notes: RestoreNotes;
  readonly clock: Clock;
}

/**
 * Cuts all shards of a restore over, one after the other. Past its beginning the restore is not canceled any more.
 *
 * @throws RestoreNotRunningError, RestoreConflictError
 */
export async function cutOverAll(
  { restores, notes, clock }: EndDependencies,
  restoreId: RestoreId,
  move: (cluster: RestoredCluster, at: string) => Promise<void>,
): Promise<void> {
  if (!(await restores.beginSwap(restoreId, isoTime(clock.now())))) {
    throw new RestoreNotRunningError(`Restore ${restoreId} is not running any more: nothing is cut over.`);
  }
  for (const cluster of await notes.clusters()) {
    const at = isoTime(clock.now());
    // First: whatever becomes of this function, a cluster that the platform may work with is never removed.
    await notes.setCluster(cluster.shard, { stage: 'swap', settled: true });
    try {
      await move(cluster, at);
    } catch (error) {
      // Only this one says for certain that nothing was written.
      if (error instanceof RestoreConflictError) await notes.setCluster(cluster.shard, { settled: false });
      throw error;
    }
    await notes.setCluster(cluster.shard, { cutOverAt: cluster.cutOverAt ?? at });
  }
}

/** Ends a restore that is done: its clusters are the operator's or the platform's from now on. @throws RestoreNotRunningError */
export async function completePointInTime(
  { restores, notes, clock }: EndDependencies,
  restoreId: RestoreId,
): Promise<{ record: RestoreRecord; clusters: RestoredCluster[]; first: boolean }> {
  for (const { shard } of await notes.clusters())
    await notes.setCluster(shard, { stage: 'done', settled: true });
  const first = await restores.complete(restoreId, { finishedAt: isoTime(clock.now()) });
  const record = await restores.get(restoreId);
  if (record?.state !== 'completed')
    throw new RestoreNotRunningError(`Restore ${restoreId} is not running any more.`);
  await restores.discardDone(restoreId);
  return { record, clusters: await notes.clusters(), first };
}
