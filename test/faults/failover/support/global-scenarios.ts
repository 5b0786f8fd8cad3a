import { FailoverGlobalClusterCommand, RDSClient } from '@aws-sdk/client-rds';
import { accountId } from '../../../../local/runtime/parts.ts';
import { awsConfig } from '../../../e2e/support/aws.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { askForFailover } from './ask.ts';
import { globalDatabase } from './global-cluster.ts';
import { switchovers } from './shared-scenarios.ts';
import { kill, signal, traffic } from './strikes.ts';
import type { Scenario, Scene } from './trial.ts';

const accepted = (scene: Scene) => askForFailover(scene, { acceptDataLossBytes: 'any' });

/** Nothing at all is heard of the cluster that takes the writes. */
async function silence(scene: Scene, kind: 'silent' | 'open'): Promise<void> {
  for (const endpoint of ['writer', 'reader', scene.writer.identifier, scene.reader.identifier]) {
    await traffic(scene, endpoint, kind);
  }
}

/** Somebody has RDS move the writes to the other region, and does not tell the platform. */
async function moveByRds({ deployment, shard, cluster }: Scene): Promise<void> {
  const rds = new RDSClient(awsConfig(deployment.local));
  const region = cluster === 'platform-east' ? 'eu-west-1' : 'us-east-1';
  const other = cluster === 'platform-east' ? 'platform-west' : 'platform-east';
  await rds.send(
    new FailoverGlobalClusterCommand({
      GlobalClusterIdentifier: globalDatabase,
      TargetDbClusterIdentifier: `arn:aws:rds:${region}:${accountId}:cluster:${other}`,
      AllowDataLoss: true,
    }),
  );
  rds.destroy();
  await waitFor(async () => (await deployment.cluster(shard)).identifier === other, {
    what: 'RDS to have moved the writes',
  });
}

const [switchover] = switchovers();

/** What may happen to a cluster that is part of a global database. */
export const globalScenarios: readonly Scenario[] = [
  ...(switchover === undefined ? [] : [switchover]),
  {
    name: 'kill -9 of the primary; the operator accepts the loss',
    expected: 'held',
    strike: kill,
    afterwards: accepted,
  },
  {
    name: 'SIGSTOP of the primary; the operator accepts the loss',
    expected: 'held',
    strike: (scene) => signal(scene, scene.writer.identifier, 'SIGSTOP'),
    afterwards: accepted,
  },
  {
    name: 'the region is silent as a whole; the operator accepts the loss',
    expected: 'held',
    strike: (scene) => silence(scene, 'silent'),
    afterwards: accepted,
    mend: (scene) => silence(scene, 'open'),
  },
  {
    name: 'RDS moves the writes for somebody else',
    expected: 'failover',
    strike: moveByRds,
  },
  { name: 'a false alarm', expected: 'nothing', strike: async () => {} },
];
