import { bootstrapScript } from '../../../../functions/bootstrap/sql.ts';
import { PostgresClusters } from '../../../../local/postgres/clusters.ts';
import type { InstanceDescription } from '../../../../local/postgres/description.ts';

const identifier = 'own';
export const ownShard = 'shard-own';

/**
 * Makes a cluster of two that nobody manages, before the runtime of that state starts, and gives the settings that adopt it. Its
 * administrator has run the bootstrap's SQL, as the deployment asks.
 */
export async function prepareOwnCluster(stateDirectory: string): Promise<Record<string, unknown>> {
  const clusters = new PostgresClusters({
    stateDirectory,
    checkToken: () => {
      throw new Error('nobody may');
    },
    pointInTime: false,
  });
  await clusters.start();
  try {
    await clusters.ensureCluster({
      ...{ identifier, name: ownShard, database: 'platform' },
      ...{ masterUsername: 'owner', masterPassword: 'owner-of-the-cluster' },
    });
    for (const number of [1, 2]) {
      await clusters.ensureInstance({ cluster: identifier, identifier: `${identifier}-${number}` });
    }
    const cluster = clusters.cluster(identifier);
    await cluster.setConduct({ selfManaged: true, restartAfterMs: null });
    await cluster.administer(`${identifier}-1`, bootstrapScript());
    return settingsFor(cluster.describe());
  } finally {
    await clusters.stop();
  }
}

function settingsFor({ resourceId, instances }: { resourceId: string; instances: InstanceDescription[] }) {
  const addresses = instances.map(({ identifier: id, endpoint }) => ({ id, ...endpoint }));
  const [writer] = addresses;
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
        name: ownShard,
        failover: { action: 'replica' },
        adopt: {
          clusterIdentifier: identifier,
          resourceId,
          writerHost: writer?.host,
          writerPort: writer?.port,
          securityGroupId: 'sg-0123456789abcdef0',
          instances: addresses,
        },
      },
    ],
  };
}
