import { Deployment, quick } from './support/deployment.ts';
import { globalShard, prepareGlobalDatabase } from './support/global-cluster.ts';
import { globalScenarios } from './support/global-scenarios.ts';
import { matrixOf } from './support/matrix.ts';

matrixOf({
  title: 'A global database of two regions (action `global`)',
  start: () => Deployment.start({ failover: quick }, prepareGlobalDatabase),
  shard: globalShard,
  healthy: 'shard-a',
  scenarios: globalScenarios,
  mayLose: globalScenarios
    .map(({ name }) => name)
    .filter((name) => name !== 'switchover by hand' && name !== 'a false alarm'),
});
