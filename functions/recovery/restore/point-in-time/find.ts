import type { RDSClient } from '@aws-sdk/client-rds';
import type { RestoreNotes } from '../../catalog/restore-notes.ts';
import { NotReadyError } from '../../errors.ts';
import { describeCluster, describeInstance } from './describe-source.ts';
import type { FoundCluster, RestoredTarget } from './events.ts';

/** Notes where a restored cluster is to be reached. @throws NotReadyError, DependencyError */
export async function findRestored(
  { rds, notes }: { readonly rds: RDSClient; readonly notes: RestoreNotes },
  target: RestoredTarget,
): Promise<FoundCluster> {
  const cluster = await describeCluster(rds, target.identifier);
  const { Endpoint: endpoint } = await describeInstance(rds, target.instance);
  const { DbClusterResourceId: resourceId, Endpoint: host, Port: port } = cluster;
  if (resourceId === undefined || host === undefined || port === undefined) {
    throw new NotReadyError(`The cluster ${target.identifier} has no endpoint yet.`);
  }
  if (endpoint?.Address === undefined || endpoint.Port === undefined) {
    throw new NotReadyError(`The instance ${target.instance} has no endpoint yet.`);
  }
  const writer = { host, port };
  await notes.setCluster(target.name, { stage: 'check', resourceId, writer });
  return { resourceId, writer, instance: { host: endpoint.Address, port: endpoint.Port } };
}
