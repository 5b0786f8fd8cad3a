import { z } from 'zod';
import { postgresMajor } from '../../../lib/constants.ts';
import type { PostgresClusters } from '../../postgres/clusters.ts';
import type { ClusterDescription } from '../../postgres/description.ts';
import { type ProvisionedResource, physicalName, type ResourceHandler } from '../resource.ts';

const clusterProperties = z.looseObject({
  DBClusterIdentifier: z.string().optional(),
  DBClusterParameterGroupName: z.string().optional(),
  DatabaseName: z.string(),
  EnableIAMDatabaseAuthentication: z.boolean().default(false),
  Engine: z.literal('aurora-postgresql'),
  EngineVersion: z.string().refine((version) => Number.parseInt(version, 10) === postgresMajor, {
    error: `is not PostgreSQL ${postgresMajor}, which is what runs here`,
  }),
  ManageMasterUserPassword: z.literal(true, { error: 'has to be true: RDS keeps the master password here' }),
  MasterUsername: z.string(),
});
const instanceProperties = z.looseObject({
  DBClusterIdentifier: z.string(),
  DBInstanceIdentifier: z.string().optional(),
});
const parameterGroupProperties = z.looseObject({
  Parameters: z.record(z.string(), z.coerce.string()).default({}),
});

export interface RdsResourceOptions {
  clusters: PostgresClusters;
  region: string;
  accountId: string;
  /** Makes the secret that RDS keeps for a master user, or finds the one it made. */
  masterSecret(clusterIdentifier: string, username: string): Promise<{ arn: string; password: string }>;
}

/** Aurora clusters and their instances. */
export function rdsResources({
  clusters,
  masterSecret,
  region,
  accountId,
}: RdsResourceOptions): Record<string, ResourceHandler> {
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
      const parameters = parametersOf.get(properties.DBClusterParameterGroupName ?? '') ?? {};
      const secret = await masterSecret(identifier, properties.MasterUsername);
      const cluster = await clusters.ensureCluster({
        identifier,
        name: shardName(identifier),
        database: properties.DatabaseName,
        masterUsername: properties.MasterUsername,
        masterPassword: secret.password,
        forceSsl: parameters['rds.force_ssl'] === '1',
        iamAuthentication: properties.EnableIAMDatabaseAuthentication,
      });
      const arn = `arn:aws:rds:${region}:${accountId}:cluster:${identifier}`;
      return described(cluster, { DBClusterArn: arn, 'MasterUserSecret.SecretArn': secret.arn });
    },
    'AWS::RDS::DBInstance': async (request) => {
      const properties = instanceProperties.parse(request.properties);
      const identifier = properties.DBInstanceIdentifier ?? physicalName(request).toLowerCase();
      const cluster = await clusters.ensureInstance({ cluster: properties.DBClusterIdentifier, identifier });
      const instance = cluster.instances.find((candidate) => candidate.identifier === identifier);
      return {
        ref: identifier,
        attributes: {
          'Endpoint.Address': instance?.endpoint.host,
          'Endpoint.Port': String(instance?.endpoint.port),
          DbiResourceId: instance?.resourceId,
          DBInstanceArn: `arn:aws:rds:${region}:${accountId}:db:${identifier}`,
        },
      };
    },
  };
}

function described(cluster: ClusterDescription, more: Record<string, string>): ProvisionedResource {
  return {
    ref: cluster.identifier,
    attributes: {
      DBClusterResourceId: cluster.resourceId,
      'Endpoint.Address': cluster.endpoint.host,
      'Endpoint.Port': String(cluster.endpoint.port),
      ...(cluster.readerEndpoint && { 'ReadEndpoint.Address': cluster.readerEndpoint.host }),
      ...more,
    },
  };
}

/** Clusters are called `mainstay-<environment>-<shard>`; people know the shard. */
function shardName(identifier: string): string {
  return identifier.replace(/^mainstay-[a-z0-9]+-/, '');
}
