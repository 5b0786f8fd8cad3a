import type { DBCluster, DBClusterEndpoint, DBInstance, Tag } from '@aws-sdk/client-rds';
import type { ClusterDescription, InstanceDescription } from '../postgres/description.ts';
import { arnOf, type Place } from './arns.ts';
import type { ClusterRecord, InstanceRecord } from './records.ts';

export const engine = 'aurora-postgresql';

/** Aurora writes continuously; the latest restorable time moves on in steps, in milliseconds. */
const restorableStepMs = 300_000;
const dayMs = 86_400_000;

export interface KnownCluster {
  description: ClusterDescription;
  record: ClusterRecord;
  failingOver: boolean;
}

export interface KnownInstance {
  cluster: KnownCluster;
  description: InstanceDescription;
  record: InstanceRecord;
}

/** A cluster as DescribeDBClusters shows it. */
export function clusterShape(
  place: Place,
  { description, record, failingOver }: KnownCluster,
  tierOf: (instance: string) => number,
): DBCluster {
  const created = new Date(description.createdAt);
  const now = Date.now();
  const restorable = Math.max(created.getTime(), now - (now % restorableStepMs));
  const { readerEndpoint } = description;
  return {
    DBClusterIdentifier: description.identifier,
    DBClusterArn: arnOf(place, 'cluster', description.identifier),
    DbClusterResourceId: description.resourceId,
    Status: failingOver ? 'failing-over' : 'available',
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
    EarliestRestorableTime: new Date(Math.max(created.getTime(), now - record.backupRetentionDays * dayMs)),
    LatestRestorableTime: new Date(restorable),
    StorageEncrypted: record.kmsKeyId !== undefined,
    ...(record.kmsKeyId !== undefined && { KmsKeyId: record.kmsKeyId }),
    ...(record.minCapacity !== undefined && {
      ServerlessV2ScalingConfiguration: { MinCapacity: record.minCapacity, MaxCapacity: record.maxCapacity },
    }),
    ReadReplicaIdentifiers: [],
    VpcSecurityGroups: [],
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
    DbiResourceId: description.resourceId,
    DBInstanceClass: record.instanceClass,
    DBInstanceStatus: description.status,
    DBClusterIdentifier: cluster.description.identifier,
    Engine: engine,
    EngineVersion: cluster.description.engineVersion,
    DBName: cluster.description.database,
    MasterUsername: cluster.description.masterUsername,
    Endpoint: { Address: description.endpoint.host, Port: description.endpoint.port },
    InstanceCreateTime: new Date(description.createdAt),
    AvailabilityZone: place.region + 'abc'.charAt(zone),
    MultiAZ: false,
    PromotionTier: record.promotionTier,
    IAMDatabaseAuthenticationEnabled: cluster.description.iamAuthentication,
    DeletionProtection: cluster.record.deletionProtection,
    BackupRetentionPeriod: cluster.record.backupRetentionDays,
    StorageEncrypted: cluster.record.kmsKeyId !== undefined,
    PubliclyAccessible: false,
    VpcSecurityGroups: [],
    TagList: tagList(record.tags),
  };
}

/** The built-in endpoints of a cluster as DescribeDBClusterEndpoints shows them. */
export function endpointShapes({ description }: KnownCluster): DBClusterEndpoint[] {
  const { identifier, endpoint, readerEndpoint } = description;
  const common = { DBClusterIdentifier: identifier, Status: 'available' };
  return [
    { ...common, Endpoint: endpoint.host, EndpointType: 'WRITER' },
    ...(readerEndpoint === undefined
      ? []
      : [{ ...common, Endpoint: readerEndpoint.host, EndpointType: 'READER' }]),
  ];
}

export function tagList(tags: Readonly<Record<string, string>>): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}
