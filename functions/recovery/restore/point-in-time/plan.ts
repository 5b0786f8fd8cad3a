import type { DBInstance, RDSClient } from '@aws-sdk/client-rds';
import type { Shard } from '../../../shared/shards.ts';
import type { RestoreCatalog } from '../../catalog/restore-catalog.ts';
import type { RestoreNotes } from '../../catalog/restore-notes.ts';
import type { RestoreRecord } from '../../catalog/restore-record.ts';
import { type Clock, isoTime } from '../../clock.ts';
import { NotReadyError, RestoreNotRunningError } from '../../errors.ts';
import { type RestoreId, shardNameSchema } from '../../ids.ts';
import type { Bucket } from '../../objects/bucket.ts';
import { restorePrefix } from '../../objects/object-keys.ts';
import { leave } from '../../objects/work-objects.ts';
import { chooseShards } from '../../plan-backup.ts';
import { checkWindow, describeCluster, describeInstance, settingsOf, windowOf } from './describe-source.ts';
import type { RestoredTarget } from './events.ts';
import { restoredCluster, restoredWriter } from './names.ts';

export interface PlanDependencies {
  readonly restores: RestoreCatalog;
  readonly notes: RestoreNotes;
  readonly bucket: Bucket;
  readonly rds: RDSClient;
  readonly listShards: () => Promise<readonly Shard[]>;
  readonly clock: Clock;
  /** How names of restored clusters begin. */
  readonly prefix: string;
}

export interface PlannedPointInTime {
  readonly restoreId: RestoreId;
  readonly dryRun: boolean;
  readonly cutOver: boolean;
  readonly key: string;
  readonly clusters: { identifier: string; protect: boolean }[];
}

/**
 * Looks at the clusters of the shards, checks that the time is one they can be restored to, and leaves what Step Functions
 * needs to make new ones like them. Doing it again plans the same clusters.
 *
 * @throws UnknownShardError, RestoreConflictError naming the window, RestoreNotRunningError, NotReadyError, DependencyError
 */
export async function planPointInTime(
  deps: PlanDependencies,
  restoreId: RestoreId,
  executionArn: string,
): Promise<PlannedPointInTime> {
  const { restores, notes, bucket, rds, clock, prefix } = deps;
  const record = await restores.get(restoreId);
  if (record?.pointInTime === undefined)
    throw new RestoreNotRunningError(`There is no restore ${restoreId}.`);
  const wanted = record.shards.length === 0 ? undefined : record.shards;
  const shards = chooseShards(await deps.listShards(), wanted);
  const earlier = await notes.clusters();
  const restoreTo = record.pointInTime === 'latest' ? null : record.pointInTime;
  const targets: RestoredTarget[] = [];
  const clusters: PlannedPointInTime['clusters'] = [];
  for (const shard of shards) {
    const name = shardNameSchema.parse(shard.name);
    const before = earlier.find((one) => one.shard === name);
    // A resumed restore may find the shard cut over already: what it restores is what it was then.
    const source = before?.source ?? placeOf(shard);
    const cluster = await describeCluster(rds, source.clusterIdentifier);
    const window = windowOf(cluster);
    // Once planned, the cluster exists or not: the window has moved on since.
    if (restoreTo !== null && before === undefined) checkWindow(name, window, Date.parse(restoreTo));
    const member = cluster.DBClusterMembers?.find((one) => one.IsClusterWriter === true);
    const identifier = restoredCluster(prefix, name, restoreId);
    const instance = restoredWriter(identifier);
    targets.push({
      ...settingsOf(cluster, await writerOf(rds, member?.DBInstanceIdentifier, shard), restoreId),
      ...{
        name,
        database: shard.database,
        source: source.clusterIdentifier,
        identifier,
        instance,
        restoreTo,
      },
    });
    clusters.push({ identifier, protect: cluster.DeletionProtection ?? false });
    if (before !== undefined) continue;
    await notes.setCluster(name, {
      ...{ stage: 'cluster', source, epoch: shard.epoch, identifier, instance, settled: record.dryRun },
      ...{ earliest: isoTime(window.earliest), latest: isoTime(window.latest) },
    });
  }
  const key = `${restorePrefix(restoreId)}clusters.json`;
  await leave(bucket, key, targets);
  await begin(restores, record, executionArn, targets, clock);
  return { restoreId, dryRun: record.dryRun, cutOver: record.mode === 'replace', key, clusters };
}

const placeOf = ({ clusterIdentifier, resourceId, writer }: Shard) => ({
  clusterIdentifier,
  resourceId,
  writer,
});

async function writerOf(rds: RDSClient, identifier: string | undefined, shard: Shard): Promise<DBInstance> {
  if (identifier !== undefined) return describeInstance(rds, identifier);
  throw new NotReadyError(`The cluster ${shard.clusterIdentifier} has no writer to make the new one like.`);
}

async function begin(
  restores: RestoreCatalog,
  record: RestoreRecord,
  executionArn: string,
  targets: readonly RestoredTarget[],
  clock: Clock,
): Promise<void> {
  const startedAt = record.startedAt ?? isoTime(clock.now());
  const shards = targets.map(({ name }) => name);
  if (!(await restores.startPointInTime(record.id, { executionArn, startedAt, shards }))) {
    throw new RestoreNotRunningError(`Restore ${record.id} was canceled before it began.`);
  }
}
