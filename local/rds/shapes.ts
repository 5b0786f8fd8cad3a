import type { DBCluster, DBClusterEndpoint, DBInstance, Tag } from '@aws-sdk/client-rds';
import type { RestorableWindow } from '../postgres/archive.ts';
import type { ClusterDescription, InstanceDescription } from '../postgres/description.ts';
import { arnOf, type Place } from './arns.ts';
import type { ClusterRecord, InstanceRecord } from './records.ts';

export const engine = 'aurora-postgresql';

export interface KnownCluster {
  description: ClusterDescription;
  record: ClusterRecord;
  /** Where it is said to be. */
  region: string;
  failingOver: boolean;
  /** Undefined before the first base backup. */
  restorable: RestorableWindow | undefined;
}

export interface KnownInstance {
  cluster: KnownCluster;
  description: InstanceDescription;
  record: InstanceRecord;
}

/** A cluster as DescribeDBClusters shows it. */
export function clusterShape(
  place: Place,
  { description, record, failingOver, restorable }: KnownCluster,
  tierOf: (instance: string) => number,
): DBCluster {
  const created = new Date(description.createdAt);
  const { readerEndpoint, global } = description;
  return {
    DBClusterIdentifier: description.identifier,
    DBClusterArn: arnOf(place, 'cluster', description.identifier),
    DbClusterResourceId: description.resourceId,
    Status: failingOver ? 'failing-over' : description.status,
    Engine: engine,
    EngineMode: 'provisioned',
    EngineVersion: description.engineVersion,
    DatabaseName: description.database,
    MasterUsername: description.masterUsername,
    ...(record.secretArn !== undefined && {
      MasterUserSecret: {
        SecretArn: record.secretArn,
        SecretStatus: 'active',
        ...(record.secretKmsKeyId !== undefined && { KmsKeyId: record.secretKmsKeyId }),
      },
    }),
    Endpoint: description.endpoint.host,
    ...(readerEndpoint !== undefined && { ReaderEndpoint: readerEndpoint.host }),
    Port: description.endpoint.port,
    MultiAZ: description.instances.length > 1,
    AvailabilityZones: ['a', 'b', 'c'].map((zone) => place.region + zone),
    DBClusterMembers: description.instances.map(({ identifier, writer }) => ({
      DBInstanceIdentifier: identifier,
      IsClusterWriter: writer,
      DBClusterParameterGroupStatus: 'in-sync',
      PromotionTier: tierOf(identifier),
    })),
    DBClusterParameterGroup: record.parameterGroup,
    IAMDatabaseAuthenticationEnabled: description.iamAuthentication,
    DeletionProtection: record.deletionProtection,
    BackupRetentionPeriod: record.backupRetentionDays,
    ClusterCreateTime: created,
    ...(restorable !== undefined && {
      EarliestRestorableTime: new Date(restorable.earliest),
      LatestRestorableTime: new Date(restorable.latest),
    }),
    StorageEncrypted: record.kmsKeyId !== undefined,
    ...(record.kmsKeyId !== undefined && { KmsKeyId: record.kmsKeyId }),
    ...(record.minCapacity !== undefined && {
      ServerlessV2ScalingConfiguration: { MinCapacity: record.minCapacity, MaxCapacity: record.maxCapacity },
    }),
    ReadReplicaIdentifiers: [],
    ...(global !== undefined && {
      GlobalClusterIdentifier: global.identifier,
      GlobalWriteForwardingRequested: false,
    }),
    DBSubnetGroup: record.subnetGroup ?? 'default',
    VpcSecurityGroups: securityGroups(record),
    CopyTagsToSnapshot: record.copyTagsToSnapshot ?? false,
    EnabledCloudwatchLogsExports: record.logExports ?? [],
    // Shown of I/O-optimized clusters alone.
    ...(record.storageType === 'aurora-iopt1' && { StorageType: record.storageType }),
    AssociatedRoles: [],
    HttpEndpointEnabled: false,
    TagList: tagList(record.tags),
  };
}

/** An instance as DescribeDBInstances shows it. */
export function instanceShape(place: Place, { cluster, description, record }: KnownInstance): DBInstance {
  const zone = cluster.description.instances.indexOf(description) % 3;
  return {
    DBInstanceIdentifier: description.identifier,
    DBInstanceArn: arnOf(place, 'db', description.identifier),
    ...(description.resourceId !== '' && { DbiResourceId: description.resourceId }),
    DBInstanceClass: record.instanceClass,
    DBInstanceStatus: record.pending?.state ?? description.status,
    DBClusterIdentifier: cluster.description.identifier,
    Engine: engine,
    EngineVersion: cluster.description.engineVersion,
    DBName: cluster.description.database,
    MasterUsername: cluster.description.masterUsername,
    // An instance that is being created has none yet.
    ...(description.endpoint.port !== 0 && {
      Endpoint: { Address: description.endpoint.host, Port: description.endpoint.port },
    }),
    InstanceCreateTime: new Date(description.createdAt),
    AvailabilityZone: place.region + 'abc'.charAt(zone),
    MultiAZ: false,
    PromotionTier: record.promotionTier,
    IAMDatabaseAuthenticationEnabled: cluster.description.iamAuthentication,
    DeletionProtection: cluster.record.deletionProtection,
    BackupRetentionPeriod: cluster.record.backupRetentionDays,
    StorageEncrypted: cluster.record.kmsKeyId !== undefined,
    PubliclyAccessible: false,
    DBParameterGroups: [
      {
        DBParameterGroupName:
          record.parameterGroup ?? `default.${engine}${cluster.description.engineVersion.split('.')[0]}`,
        ParameterApplyStatus: 'in-sync',
      },
    ],
    PerformanceInsightsEnabled: record.performanceInsights ?? false,
    ...(record.performanceInsights === true && {
      PerformanceInsightsKMSKeyId: cluster.record.kmsKeyId,
      PerformanceInsightsRetentionPeriod: 7,
    }),
    VpcSecurityGroups: securityGroups(cluster.record),
    TagList: tagList(record.tags),
  };
}

/** The built-in endpoints of a cluster as DescribeDBClusterEndpoints shows them. */
export function endpointShapes({ description }: KnownCluster): DBClusterEndpoint[] {
  const { identifier, endpoint, readerEndpoint, global } = description;
  const common = { DBClusterIdentifier: identifier, Status: 'available' };
  return [
    {
      ...common,
      Endpoint: endpoint.host,
      EndpointType: 'WRITER',
      ...(global?.primary === false && { Status: 'inactive' }),
    },
    ...(readerEndpoint === undefined
      ? []
      : [{ ...common, Endpoint: readerEndpoint.host, EndpointType: 'READER' }]),
  ];
}

function securityGroups({ securityGroups: ids = [] }: ClusterRecord) {
  return ids.map((VpcSecurityGroupId) => ({ VpcSecurityGroupId, Status: 'active' }));
}

export function tagList(tags: Readonly<Record<string, string>>): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}
