import * as z from 'zod';
import { postgresMajor } from '../../../lib/constants.ts';
import type { RdsService } from '../../rds/rds-service.ts';
import { physicalName, type ResourceHandler } from '../resource.ts';

const clusterProperties = z.looseObject({
  BackupRetentionPeriod: z.number().optional(),
  DBClusterIdentifier: z.string().optional(),
  CopyTagsToSnapshot: z.boolean().optional(),
  DBClusterParameterGroupName: z.string().optional(),
  DBSubnetGroupName: z.string().optional(),
  EnableCloudwatchLogsExports: z.array(z.string()).optional(),
  VpcSecurityGroupIds: z.array(z.string()).optional(),
  DatabaseName: z.string(),
  DeletionProtection: z.boolean().default(false),
  EnableIAMDatabaseAuthentication: z.boolean().default(false),
  Engine: z.literal('aurora-postgresql'),
  EngineVersion: z.string().refine((version) => Number.parseInt(version, 10) === postgresMajor, {
    error: `is not PostgreSQL ${postgresMajor}, which is what runs here`,
  }),
  KmsKeyId: z.string().optional(),
  ManageMasterUserPassword: z.literal(true, { error: 'has to be true: RDS keeps the master password here' }),
  MasterUserSecret: z.looseObject({ KmsKeyId: z.string().optional() }).optional(),
  MasterUsername: z.string(),
  ServerlessV2ScalingConfiguration: z
    .looseObject({ MinCapacity: z.number(), MaxCapacity: z.number() })
    .optional(),
});
const instanceProperties = z.looseObject({
  DBClusterIdentifier: z.string(),
  DBInstanceClass: z.string(),
  DBInstanceIdentifier: z.string().optional(),
  DBParameterGroupName: z.string().optional(),
  EnablePerformanceInsights: z.boolean().optional(),
  PromotionTier: z.number().optional(),
});
const parameterGroupProperties = z.looseObject({
  Parameters: z.record(z.string(), z.coerce.string()).default({}),
});

/** Aurora clusters and their instances. */
export function rdsResources(rds: RdsService): Record<string, ResourceHandler> {
  const parametersOf = new Map<string, Record<string, string>>();

  return {
    'AWS::RDS::DBClusterParameterGroup': (request) => {
      const name = physicalName(request, 255).toLowerCase();
      parametersOf.set(name, parameterGroupProperties.parse(request.properties).Parameters);
      return { ref: name };
    },
    'AWS::RDS::DBCluster': async (request) => {
      const properties = clusterProperties.parse(request.properties);
      const identifier = properties.DBClusterIdentifier ?? physicalName(request).toLowerCase();
      const parameterGroup = properties.DBClusterParameterGroupName;
      const secretKey = properties.MasterUserSecret?.KmsKeyId;
      const capacity = properties.ServerlessV2ScalingConfiguration;
      const cluster = await rds.ensureCluster({
        identifier,
        name: shardName(identifier),
        databaseName: properties.DatabaseName,
        masterUsername: properties.MasterUsername,
        iamAuthentication: properties.EnableIAMDatabaseAuthentication,
        deletionProtection: properties.DeletionProtection,
        forceSsl: parametersOf.get(parameterGroup ?? '')?.['rds.force_ssl'] !== '0',
        ...(parameterGroup !== undefined && { parameterGroup }),
        ...(secretKey !== undefined && { masterUserSecretKmsKeyId: secretKey }),
        ...(properties.KmsKeyId !== undefined && { kmsKeyId: properties.KmsKeyId }),
        ...(properties.BackupRetentionPeriod !== undefined && {
          backupRetentionPeriod: properties.BackupRetentionPeriod,
        }),
        ...(properties.CopyTagsToSnapshot !== undefined && {
          copyTagsToSnapshot: properties.CopyTagsToSnapshot,
        }),
        ...(properties.DBSubnetGroupName !== undefined && { subnetGroup: properties.DBSubnetGroupName }),
        ...(properties.EnableCloudwatchLogsExports && {
          logExports: properties.EnableCloudwatchLogsExports,
        }),
        ...(properties.VpcSecurityGroupIds && { securityGroups: properties.VpcSecurityGroupIds }),
        ...(capacity && {
          serverlessV2: { minCapacity: capacity.MinCapacity, maxCapacity: capacity.MaxCapacity },
        }),
      });
      return {
        ref: identifier,
        attributes: {
          DBClusterArn: cluster.arn,
          DBClusterResourceId: cluster.resourceId,
          'Endpoint.Address': cluster.endpoint.host,
          'Endpoint.Port': String(cluster.endpoint.port),
          'MasterUserSecret.SecretArn': cluster.masterUserSecretArn,
          'ReadEndpoint.Address': cluster.readerEndpoint?.host,
        },
      };
    },
    'AWS::RDS::DBInstance': async (request) => {
      const properties = instanceProperties.parse(request.properties);
      const identifier = properties.DBInstanceIdentifier ?? physicalName(request).toLowerCase();
      const instance = await rds.ensureInstance({
        identifier,
        cluster: properties.DBClusterIdentifier,
        instanceClass: properties.DBInstanceClass,
        ...(properties.DBParameterGroupName !== undefined && {
          parameterGroup: properties.DBParameterGroupName,
        }),
        ...(properties.EnablePerformanceInsights !== undefined && {
          performanceInsights: properties.EnablePerformanceInsights,
        }),
        ...(properties.PromotionTier !== undefined && { promotionTier: properties.PromotionTier }),
      });
      return {
        ref: identifier,
        attributes: {
          'Endpoint.Address': instance.endpoint.host,
          'Endpoint.Port': String(instance.endpoint.port),
          DBInstanceArn: instance.arn,
          DbiResourceId: instance.resourceId,
        },
      };
    },
  };
}

/** Clusters are called `mainstay-<environment>-<shard>`; people know the shard. */
function shardName(identifier: string): string {
  return identifier.replace(/^mainstay-[a-z0-9]+-/, '');
}
