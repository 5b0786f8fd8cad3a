import pg from 'pg';
import { bootstrapScript } from '../../../../functions/bootstrap/sql.ts';
import { PostgresClusters } from '../../../../local/postgres/clusters.ts';
import type { ClusterDescription } from '../../../../local/postgres/description.ts';

export const globalShard = 'shard-global';
export const globalDatabase = 'platform';
/** The clusters of the global database, the first of which the deployment adopts, with their regions. */
const regions = { 'platform-east': 'us-east-1', 'platform-west': 'eu-west-1' };

/**
 * Makes two clusters of two instances in two regions, before the runtime of that state starts, and gives the settings that adopt
 * them. Their owner has run the bootstrap's SQL, as the deployment asks.
 */
export async function prepareGlobalDatabase(stateDirectory: string): Promise<Record<string, unknown>> {
  const clusters = new PostgresClusters({
    stateDirectory,
    checkToken: () => {
      throw new Error('nobody may');
    },
    pointInTime: false,
  });
  await clusters.start();
  try {
    for (const [identifier, region] of Object.entries(regions)) {
      await clusters.ensureCluster({
        ...{ identifier, name: globalShard, database: 'platform', region, global: globalDatabase },
        ...{ masterUsername: 'owner', masterPassword: 'owner-of-the-clusters' },
      });
      for (const number of [1, 2]) {
        await clusters.ensureInstance({ cluster: identifier, identifier: `${identifier}-${number}` });
      }
    }
    const owner = new pg.Client({ connectionString: clusters.masterUrl('platform-east') });
    await owner.connect();
    await owner.query(bootstrapScript());
    await owner.end();
    const [east, west] = ['platform-east', 'platform-west'].map((name) => clusters.cluster(name).describe());
    return settingsFor(east, west);
  } finally {
    await clusters.stop();
  }
}

function settingsFor(east: ClusterDescription | undefined, west: ClusterDescription | undefined) {
  return {
    network: {
      adopt: {
        vpcId: 'vpc-0123456789abcdef0',
        availabilityZones: ['us-east-1a'],
        subnetIds: ['subnet-0123456789abcdef0'],
      },
    },
    shards: [
      { name: 'shard-a' },
      {
        name: globalShard,
        failover: {
          ...{ action: 'global', globalClusterIdentifier: globalDatabase },
          globalMembers: [{ region: 'eu-west-1', cidr: '127.0.0.0/8', port: west?.endpoint.port }],
        },
        adopt: {
          clusterIdentifier: east?.identifier,
          resourceId: east?.resourceId,
          writerHost: east?.endpoint.host,
          writerPort: east?.endpoint.port,
          securityGroupId: 'sg-0123456789abcdef0',
        },
      },
    ],
  };
}
