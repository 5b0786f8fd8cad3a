import { DescribeDBClustersCommand, DescribeDBInstancesCommand, type RDSClient } from '@aws-sdk/client-rds';
import { onDependency } from '../../shared/dependency.ts';
import type { Shard } from '../../shared/shards.ts';
import type { DatabaseInstance, ShardInstances } from '../model.ts';
import { globalMembers, type RdsRegions } from './global-database.ts';
import type { SelfManaged } from './self-managed.ts';

export interface DiscoveryParts extends RdsRegions {
  readonly selfManaged: SelfManaged;
  /** The global database that a shard's cluster is part of. */
  readonly globalOf: (shard: string) => string | undefined;
  readonly now: () => number;
}

/** The most that a shard is known to have. */
const mostInstances = 16;

/**
 * Which instances a shard has, and where: as RDS has them now or, of a cluster that RDS does not manage, as the deployment
 * names them. Of a global database they are those of the cluster that takes the writes now. Who the writer is among those that
 * RDS does not manage nobody but themselves can say: it is where the shard map leads.
 *
 * @throws DependencyError
 */
export async function discoverInstances(
  shard: Pick<Shard, 'name' | 'clusterIdentifier' | 'writer'>,
  { rds, inRegion, selfManaged, globalOf, now }: DiscoveryParts,
): Promise<ShardInstances> {
  const at = new Date(now()).toISOString();
  const named = selfManaged[shard.name];
  if (named !== undefined) {
    const { host, port } = shard.writer;
    const instances = named.map((instance): DatabaseInstance => {
      const writes = instance.host === host && instance.port === port;
      return { ...instance, role: writes ? 'writer' : 'reader', status: 'unknown' };
    });
    return { shard: shard.name, at, engine: 'self-managed', instances };
  }
  const global = globalOf(shard.name);
  const members = global === undefined ? [] : await globalMembers(rds, global);
  const writing = members.find(({ writer }) => writer);
  const instances =
    writing === undefined
      ? await ofCluster(rds, shard.clusterIdentifier)
      : await ofCluster(inRegion(writing.region), writing.identifier);
  return { shard: shard.name, at, engine: 'cluster', instances };
}

async function ofCluster(rds: RDSClient, identifier: string): Promise<DatabaseInstance[]> {
  const [clusters, instances] = await Promise.all([
    onDependency('RDS', `DescribeDBClusters ${identifier}`, () =>
      rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: identifier })),
    ),
    onDependency('RDS', `DescribeDBInstances ${identifier}`, () =>
      rds.send(
        new DescribeDBInstancesCommand({ Filters: [{ Name: 'db-cluster-id', Values: [identifier] }] }),
      ),
    ),
  ]);
  const members = clusters.DBClusters?.[0]?.DBClusterMembers ?? [];
  const writer = members.find(({ IsClusterWriter }) => IsClusterWriter === true)?.DBInstanceIdentifier;
  return (instances.DBInstances ?? [])
    .flatMap(({ DBInstanceIdentifier: id, DBInstanceStatus, Endpoint }): DatabaseInstance[] => {
      const { Address: host, Port: port } = Endpoint ?? {};
      // One that is being made has no endpoint yet.
      if (id === undefined || host === undefined || port === undefined) return [];
      return [
        { id, host, port, role: id === writer ? 'writer' : 'reader', status: DBInstanceStatus ?? 'unknown' },
      ];
    })
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .slice(0, mostInstances);
}
