import { apiClient } from '../../../e2e/support/api.ts';
import { askForFailover } from './ask.ts';
import { kill, makeLag, signal, start } from './strikes.ts';
import type { Scenario, Scene } from './trial.ts';

export const bothDead: Scenario = {
  name: 'primary and standby dead',
  expected: 'held',
  strike: async (scene) => {
    await signal(scene, scene.reader.identifier, 'SIGKILL');
    await kill(scene);
  },
  afterwards: async (scene) => {
    await start(scene, scene.writer.identifier);
    await start(scene, scene.reader.identifier);
  },
};

/** An operator has another instance become the writer while all is well. @param mend what a cluster of that kind needs afterwards. */
export const switchovers = (mend: (scene: Scene) => Promise<void> = async () => {}): Scenario[] => [
  {
    name: 'switchover by hand',
    expected: 'failover',
    strike: async () => {},
    tell: async (scene) => {
      await askForFailover(scene, { kind: 'switchover' });
      return undefined;
    },
    mend,
  },
  {
    name: 'switchover by hand to a standby that receives nothing',
    expected: 'nothing',
    strike: makeLag,
    tell: async ({ deployment, shard }) => {
      const body = { shard, kind: 'switchover', reason: 'asked for by a scenario' };
      const answer = await apiClient(deployment.local)('POST', '/api/disaster-recovery/failover', { body });
      if (answer.status !== 409) throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`);
      return undefined;
    },
    mend: async (scene) => {
      await signal(scene, scene.writer.identifier, 'SIGCONT', 'walsender');
    },
  },
];
