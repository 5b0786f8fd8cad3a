import {
  DescribeDBClustersCommand,
  DescribeGlobalClustersCommand,
  type RDSClient,
} from '@aws-sdk/client-rds';
import { onDependency } from '../../shared/dependency.ts';
import type { Target } from '../candidates.ts';

/** RDS in the deployment's own region, and in another: a cluster is described where it is. */
export interface RdsRegions {
  readonly rds: RDSClient;
  readonly inRegion: (region: string) => RDSClient;
}

/** One cluster of a global database. */
export interface GlobalMember {
  readonly arn: string;
  readonly region: string;
  readonly identifier: string;
  readonly writer: boolean;
}

/** The clusters of a global database by their ARNs, each with its writer endpoint. */
export interface GlobalDatabase {
  /** The one that takes writes now. Absent: its region does not answer, or RDS names none. */
  readonly writer: Target | undefined;
  /** Those that could take over. */
  readonly others: readonly Target[];
}

/** The most clusters that a global database has: a writer’s and ten others. */
const mostMembers = 11;

/** @throws DependencyError */
export async function globalMembers(
  rds: RDSClient,
  globalClusterIdentifier: string,
): Promise<GlobalMember[]> {
  const { GlobalClusters } = await onDependency('RDS', 'DescribeGlobalClusters', () =>
    rds.send(new DescribeGlobalClustersCommand({ GlobalClusterIdentifier: globalClusterIdentifier })),
  );
  return (GlobalClusters?.[0]?.GlobalClusterMembers ?? [])
    .flatMap(({ DBClusterArn: arn, IsWriter }): GlobalMember[] => {
      const [, , , region, , , identifier] = arn?.split(':') ?? [];
      if (arn === undefined || region === undefined || identifier === undefined) return [];
      return [{ arn, region, identifier, writer: IsWriter === true }];
    })
    .slice(0, mostMembers);
}

/**
 * Who takes the writes of a global database, and who could. A cluster whose region does not answer is left out.
 *
 * @throws DependencyError where none of them could be described.
 */
export async function describeGlobal(
  { rds, inRegion }: RdsRegions,
  globalClusterIdentifier: string,
): Promise<GlobalDatabase> {
  const members = await globalMembers(rds, globalClusterIdentifier);
  const described = await Promise.allSettled(
    members.map((member) => targetOf(inRegion(member.region), member)),
  );
  const failed = described.filter((result) => result.status === 'rejected');
  if (failed[0] !== undefined && failed.length === members.length) throw failed[0].reason;
  const targets = described
    .map((result) => (result.status === 'fulfilled' ? result.value : undefined))
    .filter((found) => found !== undefined);
  return {
    writer: targets.find(({ writer }) => writer)?.target,
    others: targets.filter(({ writer }) => !writer).map(({ target }) => target),
  };
}

async function targetOf(
  rds: RDSClient,
  { arn, identifier, writer }: GlobalMember,
): Promise<{ readonly target: Target; readonly writer: boolean } | undefined> {
  const { DBClusters } = await onDependency('RDS', `DescribeDBClusters ${identifier}`, () =>
    rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: identifier })),
  );
  const { Endpoint: host, Port: port } = DBClusters?.[0] ?? {};
  return host === undefined || port === undefined
    ? undefined
    : { target: { instance: arn, host, port }, writer };
}
