import { Deployment, quick } from './support/deployment.ts';
import { managedScenarios } from './support/managed-scenarios.ts';
import { matrixOf } from './support/matrix.ts';

matrixOf({
  title: 'A cluster that RDS manages (action `cluster`)',
  start: () => Deployment.start({ failover: quick }),
  shard: 'shard-a',
  healthy: 'shard-b',
  scenarios: managedScenarios,
  mayLose: [
    'kill -9 of the primary',
    'SIGSTOP of the primary',
    'two alarms at once',
    'killed with lag on the standby; the operator accepts the loss',
    'function killed between the promotion and the map',
    'failover during a running backup',
    'kill -9 of the primary, noticed by probes and alarm',
  ],
});
