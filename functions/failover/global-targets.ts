import {
  DescribeDBClustersCommand,
  DescribeGlobalClustersCommand,
  type RDSClient,
} from '@aws-sdk/client-rds';
import { onDependency } from '../shared/dependency.ts';
import type { Target } from './candidates.ts';

/** The most regions that a global database has beside the writer's. */
const mostTargets = 10;

/**
 * The clusters of a global database that could take over, by their ARNs, each with the endpoint that its writer would have.
 *
 * @param inRegion RDS in another region: a cluster is described where it is.
 * @throws DependencyError
 */
export async function globalTargets(
  rds: RDSClient,
  inRegion: (region: string) => RDSClient,
  globalClusterIdentifier: string,
): Promise<Target[]> {
  const { GlobalClusters } = await onDependency('RDS', 'DescribeGlobalClusters', () =>
    rds.send(new DescribeGlobalClustersCommand({ GlobalClusterIdentifier: globalClusterIdentifier })),
  );
  const members = (GlobalClusters?.[0]?.GlobalClusterMembers ?? []).filter(
    ({ IsWriter }) => IsWriter !== true,
  );
  const targets = await Promise.all(
    members.slice(0, mostTargets).map(async ({ DBClusterArn: arn }): Promise<Target | undefined> => {
      const [, , , region, , , identifier] = arn?.split(':') ?? [];
      if (arn === undefined || region === undefined || identifier === undefined) return undefined;
      const { DBClusters } = await onDependency('RDS', 'DescribeDBClusters', () =>
        inRegion(region).send(new DescribeDBClustersCommand({ DBClusterIdentifier: identifier })),
      );
      const { Endpoint: host, Port: port } = DBClusters?.[0] ?? {};
      return host === undefined || port === undefined ? undefined : { instance: arn, host, port };
    }),
  );
  return targets.filter((target) => target !== undefined);
}
