import {
  type DBCluster,
  type DBInstance,
  DescribeDBClustersCommand,
  DescribeDBInstancesCommand,
  type RDSClient,
} from '@aws-sdk/client-rds';
import { onDependency } from '../../../shared/dependency.ts';
import { NotReadyError, RestoreConflictError } from '../../errors.ts';
import type { RestoreId } from '../../ids.ts';
import type { RestoredTarget } from './events.ts';

/** The most that RDS takes of a resource's tags, less the one that is added. */
const maxTags = 49;

/** A cluster as RDS describes it. @throws NotReadyError, DependencyError */
export async function describeCluster(rds: RDSClient, identifier: string): Promise<DBCluster> {
  const { DBClusters } = await onDependency('RDS', `DescribeDBClusters ${identifier}`, () =>
    rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: identifier })),
  );
  const [cluster] = DBClusters ?? [];
  if (cluster === undefined) throw new NotReadyError(`RDS does not describe the cluster ${identifier}.`);
  return cluster;
}

/** @throws NotReadyError, DependencyError */
export async function describeInstance(rds: RDSClient, identifier: string): Promise<DBInstance> {
  const { DBInstances } = await onDependency('RDS', `DescribeDBInstances ${identifier}`, () =>
    rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier })),
  );
  const [instance] = DBInstances ?? [];
  if (instance === undefined) throw new NotReadyError(`RDS does not describe the instance ${identifier}.`);
  return instance;
}

/** The times that a cluster can be restored to, in milliseconds since the epoch. @throws NotReadyError */
export function windowOf(cluster: DBCluster): { earliest: number; latest: number } {
  const { EarliestRestorableTime: earliest, LatestRestorableTime: latest } = cluster;
  if (earliest === undefined || latest === undefined) {
    throw new NotReadyError(`The cluster ${cluster.DBClusterIdentifier} cannot be restored to any time yet.`);
  }
  return { earliest: earliest.getTime(), latest: latest.getTime() };
}

/** @throws RestoreConflictError naming the window, when a time is not in it. */
export function checkWindow(shard: string, window: ReturnType<typeof windowOf>, time: number): void {
  if (time >= window.earliest && time <= window.latest) return;
  const [wanted, earliest, latest] = [time, window.earliest, window.latest].map((at) =>
    new Date(at).toISOString(),
  );
  throw new RestoreConflictError(
    `${shard} cannot be restored to ${wanted}: only to times from ${earliest} to ${latest}.`,
  );
}

/** What a new cluster has to be told, since RDS would give it defaults. */
export function settingsOf(
  cluster: DBCluster,
  writer: DBInstance,
  restoreId: RestoreId,
): Omit<RestoredTarget, 'name' | 'database' | 'source' | 'identifier' | 'instance' | 'restoreTo'> {
  const { ServerlessV2ScalingConfiguration: scaling, Port: port } = cluster;
  const key = writer.PerformanceInsightsKMSKeyId;
  const days = writer.PerformanceInsightsRetentionPeriod;
  const tags = (cluster.TagList ?? []).flatMap(({ Key, Value = '' }) =>
    Key === undefined || Key.startsWith('aws:') || Key === restoreTag ? [] : [{ Key, Value }],
  );
  return {
    subnetGroup: cluster.DBSubnetGroup ?? 'default',
    securityGroups: (cluster.VpcSecurityGroups ?? []).flatMap(({ VpcSecurityGroupId: id }) => id ?? []),
    parameterGroup: cluster.DBClusterParameterGroup ?? 'default.aurora-postgresql',
    iamAuthentication: cluster.IAMDatabaseAuthenticationEnabled ?? false,
    port: port ?? 5432,
    copyTagsToSnapshot: cluster.CopyTagsToSnapshot ?? false,
    // RDS names the type of I/O-optimized clusters alone.
    storageType: cluster.StorageType ?? 'aurora',
    logExports: cluster.EnabledCloudwatchLogsExports ?? [],
    tags: [...tags.slice(0, maxTags), { Key: restoreTag, Value: restoreId }],
    scaling:
      scaling?.MinCapacity === undefined || scaling.MaxCapacity === undefined
        ? null
        : { minCapacity: scaling.MinCapacity, maxCapacity: scaling.MaxCapacity },
    writer: {
      instanceClass: writer.DBInstanceClass ?? 'db.serverless',
      parameterGroup: writer.DBParameterGroups?.[0]?.DBParameterGroupName ?? 'default.aurora-postgresql',
      tier: writer.PromotionTier ?? 1,
      insights:
        writer.PerformanceInsightsEnabled === true && key !== undefined && days !== undefined
          ? { key, days }
          : null,
    },
  };
}

/** The tag that names the restore which made a cluster. */
const restoreTag = 'mainstay:restore';
