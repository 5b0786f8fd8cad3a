import { Breakage } from '../../../e2e/support/faults.ts';
import { Ledger } from '../../../e2e/support/ledger.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { askForFailover } from './ask.ts';
import { bothDead, switchovers } from './shared-scenarios.ts';
import { kill, makeLag, probed, signal, start, synchronous, traffic } from './strikes.ts';
import type { Scenario, Scene } from './trial.ts';

/**
 * The administrator makes a standby of the instance that is not the writer any more; a writer that does not run or hangs is brought
 * back where nothing has replaced it.
 */
async function rejoin(scene: Scene): Promise<void> {
  const { deployment, shard, cluster } = scene;
  const { writer: routed } = await deployment.shard(shard);
  const { instances } = await deployment.cluster(shard);
  const primary = instances.find(({ endpoint }) => endpoint.port === routed.port);
  const other = instances.find(({ endpoint }) => endpoint.port !== routed.port);
  if (primary === undefined || other === undefined) throw new Error(`${shard} is routed to none of its own.`);
  if (primary.status !== 'available') await start(scene, primary.identifier);
  if (primary.identifier === scene.writer.identifier && other.status === 'available') return;
  await deployment.control('rejoin', { cluster, instance: other.identifier, primary: primary.identifier });
}

/** A service that has not heard of the change goes on with the old writer, which comes back as it was. */
async function comesBack(scene: Scene): Promise<void> {
  const { deployment, shard, writer, epoch } = scene;
  scene.others.push(
    Ledger.stubborn(await deployment.route(shard), writer.endpoint, `stubborn ${Date.now()}`),
  );
  await deployment.recorded(shard, 'failed over', ({ last }) => (last?.toEpoch ?? 0) > epoch);
  await start(scene, writer.identifier);
}

async function isFenced(scene: Scene): Promise<void> {
  const { deployment, writer } = scene;
  await probed(scene, 'with two writers, or a fenced one', ({ otherWriters, fenced }) =>
    [...otherWriters, ...fenced].includes(writer.identifier),
  );
  await deployment.watchdog();
  scene.fencedAt = Date.now();
  await probed(scene, 'with a fenced writer', ({ fenced }) => fenced.includes(writer.identifier));
}

/** What may happen to a cluster that nobody manages. */
export const ownScenarios: readonly Scenario[] = [
  { name: 'kill -9 of the primary', expected: 'failover', strike: kill, mend: rejoin },
  {
    name: 'kill -9 of the primary, synchronous replication',
    expected: 'failover',
    strike: async (scene) => {
      await synchronous(scene, true);
      await kill(scene);
    },
    mend: async (scene) => {
      await synchronous(scene, false);
      await rejoin(scene);
    },
  },
  {
    name: 'SIGSTOP of the primary, which is continued afterwards',
    expected: 'failover',
    strike: (scene) => signal(scene, scene.writer.identifier, 'SIGSTOP'),
    meanwhile: async (scene) => {
      const { deployment, shard, writer, epoch } = scene;
      scene.others.push(
        Ledger.stubborn(await deployment.route(shard), writer.endpoint, `stubborn ${Date.now()}`),
      );
      await deployment.recorded(shard, 'failed over', ({ last }) => (last?.toEpoch ?? 0) > epoch);
      await signal(scene, writer.identifier, 'SIGCONT');
    },
    afterwards: isFenced,
    mend: rejoin,
  },
  {
    name: 'primary cut off from everyone',
    expected: 'failover',
    strike: (scene) => traffic(scene, scene.writer.identifier, 'silent'),
    mend: async (scene) => {
      await traffic(scene, scene.writer.identifier, 'open');
      await rejoin(scene);
    },
  },
  {
    name: 'killed with lag on the standby; the operator accepts the loss',
    expected: 'held',
    strike: async (scene) => {
      await makeLag(scene);
      await kill(scene);
    },
    afterwards: (scene) => askForFailover(scene, { acceptDataLossBytes: 256 * 1024 * 1024 }),
    mend: rejoin,
  },
  bothDead,
  {
    name: 'two alarms at once',
    expected: 'failover',
    strike: kill,
    tell: async ({ deployment, shard }) =>
      (await Promise.all([deployment.alarm(shard), deployment.alarm(shard)])).flat(),
    mend: rejoin,
  },
  {
    name: 'function killed between the promotion and the map',
    expected: 'failover',
    strike: async (scene) => {
      const breakage = new Breakage(scene.deployment.local);
      await breakage.kill('FailoverOperate', { when: 'log-line', matching: '"message":"Promoted"' });
      await kill(scene);
    },
    afterwards: async (scene) => {
      const { killed } = await new Breakage(scene.deployment.local).kills();
      await waitFor(() => killed.length === 1, { what: 'the function to have been killed', timeoutMs: 1 });
    },
    mend: async (scene) => {
      await new Breakage(scene.deployment.local).mend();
      await rejoin(scene);
    },
  },
  {
    name: 'old primary comes back and takes connections',
    expected: 'failover',
    strike: kill,
    meanwhile: comesBack,
    afterwards: isFenced,
    mend: rejoin,
  },
  {
    name: 'old primary comes back, synchronous replication',
    expected: 'failover',
    strike: async (scene) => {
      await synchronous(scene, true);
      await kill(scene);
    },
    meanwhile: comesBack,
    afterwards: isFenced,
    mend: async (scene) => {
      await synchronous(scene, false);
      await rejoin(scene);
    },
  },
  ...switchovers(rejoin),
];
