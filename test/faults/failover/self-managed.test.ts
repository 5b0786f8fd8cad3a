import { Deployment, quick } from './support/deployment.ts';
import { matrixOf } from './support/matrix.ts';
import { ownShard, prepareOwnCluster } from './support/own-cluster.ts';
import { ownScenarios } from './support/own-scenarios.ts';

matrixOf({
  title: 'A cluster that nobody manages (action `replica`)',
  start: () => Deployment.start({ failover: quick }, prepareOwnCluster),
  shard: ownShard,
  healthy: 'shard-a',
  scenarios: ownScenarios,
  mayLose: [
    'kill -9 of the primary',
    'SIGSTOP of the primary, which is continued afterwards',
    'primary cut off from everyone',
    'two alarms at once',
    'killed with lag on the standby; the operator accepts the loss',
    'function killed between the promotion and the map',
    'old primary comes back and takes connections',
  ],
});
