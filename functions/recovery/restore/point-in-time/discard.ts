import type { Logger } from '@aws-lambda-powertools/logger';
import {
  DeleteDBClusterCommand,
  DeleteDBInstanceCommand,
  DescribeDBClustersCommand,
  type RDSClient,
} from '@aws-sdk/client-rds';
import { onDependency } from '../../../shared/dependency.ts';
import type { Shard } from '../../../shared/shards.ts';
import type { RestoreCatalog } from '../../catalog/restore-catalog.ts';
import type { RestoreNotes } from '../../catalog/restore-notes.ts';
import type { Clock } from '../../clock.ts';
import type { RestoreId } from '../../ids.ts';
import { stragglersUntil } from '../../stragglers.ts';
import type { RestoredCluster } from './record.ts';

export interface DiscardDependencies {
  readonly restores: RestoreCatalog;
  readonly notes: (id: RestoreId) => RestoreNotes;
  readonly rds: RDSClient;
  readonly listShards: () => Promise<readonly Shard[]>;
  readonly clock: Clock;
}

/** What RDS says while something is being made or removed: the next scheduled run finds it as it is then. */
const busy = new Set(['InvalidDBClusterStateFault', 'InvalidDBInstanceStateFault', 'InvalidDBInstanceState']);
const gone = new Set(['DBClusterNotFoundFault', 'DBInstanceNotFoundFault', 'DBInstanceNotFound']);

/**
 * Removes the clusters of restores to a point in time that were canceled, or failed and were not resumed in time: of the one
 * given, or of all that are due. Clusters that the platform works with, and those of completed restores, are never touched.
 *
 * @throws the first error, after all others had their turn.
 */
export async function discardClusters(
  deps: DiscardDependencies,
  log: Logger,
  only?: RestoreId,
): Promise<RestoreId[]> {
  const discarded: RestoreId[] = [];
  const failures: unknown[] = [];
  for await (const id of deps.restores.discardsDue(deps.clock.now())) {
    if (only !== undefined && id !== only) continue;
    try {
      if (await discard(deps, id)) discarded.push(id);
    } catch (error) {
      log.warn('The clusters of a restore could not be removed', { restoreId: id, error });
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return discarded;
}

async function discard(
  { restores, notes, rds, listShards, clock }: DiscardDependencies,
  id: RestoreId,
): Promise<boolean> {
  const record = await restores.get(id);
  if (record?.pointInTime === undefined) return false;
  if (record.state === 'queued' || record.state === 'running') return false;
  if (record.state === 'completed') {
    await restores.discardDone(id);
    return true;
  }
  const own = notes(id);
  const until = stragglersUntil(Date.parse(record.finishedAt ?? ''));
  const last = !(clock.now() < until);
  const used = new Set((await listShards()).map(({ clusterIdentifier }) => clusterIdentifier));
  let left = false;
  for (const cluster of await own.clusters()) {
    if (cluster.settled || used.has(cluster.identifier)) continue;
    const removed = await removeCluster(rds, cluster);
    if (!removed) left = true;
    else if (last) await own.setCluster(cluster.shard, { settled: true });
  }
  await restores.endResumability(id);
  // A call that was on its way when the restore ended may make the cluster again.
  if (last && !left) await restores.discardDone(id);
  else await restores.discardNeeded(id, last ? clock.now() : until);
  return !left;
}

/** Instances first: a cluster is removed when all of its instances are on their way out. */
async function removeCluster(rds: RDSClient, { identifier }: RestoredCluster): Promise<boolean> {
  const members = await attempt(async () => {
    const { DBClusters } = await rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: identifier }));
    return DBClusters?.[0]?.DBClusterMembers ?? [];
  });
  if (members === 'gone') return true;
  if (members === 'busy') return false;
  for (const { DBInstanceIdentifier } of members) {
    await attempt(() =>
      rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier, SkipFinalSnapshot: true })),
    );
  }
  const outcome = await attempt(() =>
    rds.send(new DeleteDBClusterCommand({ DBClusterIdentifier: identifier, SkipFinalSnapshot: true })),
  );
  return outcome !== 'busy';
}

async function attempt<T>(call: () => Promise<T>): Promise<T | 'gone' | 'busy'> {
  return onDependency('RDS', 'removing a restored cluster', async () => {
    try {
      return await call();
    } catch (error) {
      const name = error instanceof Error ? error.name : '';
      if (gone.has(name)) return 'gone';
      if (busy.has(name)) return 'busy';
      throw error;
    }
  });
}
