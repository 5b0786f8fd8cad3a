import { apiClient } from '../../../e2e/support/api.ts';
import { Breakage } from '../../../e2e/support/faults.ts';
import { backupEnded, readBackup, startBackup } from '../../../e2e/support/recovery.ts';
import { waitFor } from '../../../support/wait-for.ts';
import { askForFailover } from './ask.ts';
import { changePolicy } from './policy.ts';
import { bothDead, switchovers } from './shared-scenarios.ts';
import { cutProbeOff, kill, makeLag, probed, signal, synchronous, traffic } from './strikes.ts';
import type { Scenario, Scene } from './trial.ts';

const shards = ['shard-a', 'shard-b'];

/** Waits until the cluster's manager has made another instance the writer. */
async function anotherWriter({ deployment, shard, writer }: Scene): Promise<void> {
  await waitFor(
    async () =>
      (await deployment.cluster(shard)).instances.some(
        (instance) => instance.writer && instance.identifier !== writer.identifier,
      ),
    { what: 'another writer', intervalMs: 20 },
  );
}

/** What may happen to a cluster that RDS manages. */
export const managedScenarios: readonly Scenario[] = [
  { name: 'kill -9 of the primary', expected: 'failover', strike: kill },
  {
    name: 'kill -9 of the primary, synchronous replication',
    expected: 'failover',
    strike: async (scene) => {
      await synchronous(scene, true);
      await kill(scene);
    },
    mend: (scene) => synchronous(scene, false),
  },
  {
    name: 'SIGSTOP of the primary',
    expected: 'failover',
    strike: (scene) => signal(scene, scene.writer.identifier, 'SIGSTOP'),
  },
  {
    name: 'primary cut off from the probe only',
    expected: 'nothing',
    strike: async (scene) => {
      await cutProbeOff(scene, 'silent', [scene.shard]);
      await probed(scene, 'silent', ({ ok, cutOff }) => !ok && !cutOff);
    },
    mend: (scene) => cutProbeOff(scene, 'open', [scene.shard]),
  },
  {
    name: 'probe cut off from all shards',
    expected: 'nothing',
    strike: async (scene) => {
      await cutProbeOff(scene, 'silent', shards);
      await probed(scene, 'cut off', ({ cutOff }) => cutOff);
    },
    mend: (scene) => cutProbeOff(scene, 'open', shards),
  },
  {
    name: 'primary cut off from everyone',
    expected: 'failover',
    strike: async (scene) => {
      await traffic(scene, scene.writer.identifier, 'silent');
      await traffic(scene, 'writer', 'silent');
    },
    // The cluster's own endpoint follows the writer, and is not where the fault is.
    meanwhile: async (scene) => {
      await anotherWriter(scene);
      await traffic(scene, 'writer', 'open');
    },
    mend: (scene) => traffic(scene, scene.writer.identifier, 'open'),
  },
  {
    name: 'killed with lag on the standby; the operator accepts the loss',
    expected: 'held',
    strike: async (scene) => {
      await makeLag(scene);
      await kill(scene);
    },
    afterwards: (scene) => askForFailover(scene, { acceptDataLossBytes: 256 * 1024 * 1024 }),
  },
  bothDead,
  {
    name: 'two alarms at once',
    expected: 'failover',
    strike: kill,
    tell: async ({ deployment, shard }) =>
      (await Promise.all([deployment.alarm(shard), deployment.alarm(shard)])).flat(),
  },
  { name: 'a false alarm', expected: 'nothing', strike: async () => {} },
  {
    name: 'function killed between the promotion and the map',
    expected: 'failover',
    strike: kill,
    // It hears nothing of the new writer, so it waits for it until it is killed.
    meanwhile: async (scene) => {
      const { deployment, shard, reader } = scene;
      await deployment.recorded(shard, 'failing over', ({ state }) => state === 'failing_over');
      await traffic(scene, reader.identifier, 'silent', 'FailoverOperate');
      await anotherWriter(scene);
      const breakage = new Breakage(deployment.local);
      await waitFor(
        async () => {
          await breakage.kill('FailoverOperate', { when: 'after', afterMs: 0 });
          return (await breakage.kills()).killed.length > 0;
        },
        { what: 'the function to be killed' },
      );
      await traffic(scene, reader.identifier, 'open', 'FailoverOperate');
    },
    mend: (scene) => new Breakage(scene.deployment.local).mend(),
  },
  {
    name: 'failover during a running backup',
    expected: 'failover',
    strike: async (scene) => {
      const call = apiClient(scene.deployment.local);
      const id = await startBackup(call, { shards: [scene.shard] });
      await waitFor(async () => (await readBackup(call, id)).progress.stage !== 'planning', {
        what: 'the backup to be under way',
        intervalMs: 20,
      });
      scene.backup = id;
      await kill(scene);
    },
    afterwards: async (scene) => {
      await backupEnded(apiClient(scene.deployment.local), scene.backup ?? '', 180_000);
    },
  },
  {
    name: 'flapping: halted and continued, again and again',
    expected: 'held',
    strike: async (scene) => {
      const flapping = { transitions: 4, windowMinutes: 10 };
      scene.undo.push(await changePolicy(scene.deployment.local, { flapping }));
      for (let time = 0; time < 3; time++) {
        await signal(scene, scene.writer.identifier, 'SIGSTOP');
        await probed(scene, 'silent', ({ ok }) => !ok);
        if (time === 2) break;
        await signal(scene, scene.writer.identifier, 'SIGCONT');
        await probed(scene, 'well', ({ ok }) => ok);
      }
    },
    afterwards: (scene) => signal(scene, scene.writer.identifier, 'SIGCONT'),
  },
  {
    name: 'kill -9 of the primary, noticed by probes and alarm',
    expected: 'failover',
    strike: kill,
    tell: async () => undefined,
  },
  ...switchovers(),
];
