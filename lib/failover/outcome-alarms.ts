import { Duration } from 'aws-cdk-lib';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { Alarm } from '../constructs/alarm.ts';
import { watchFunction } from '../constructs/function-alarms.ts';
import type { FailoverProps } from './failover.ts';
import type { FailoverFunctions } from './functions.ts';
import { failoverMetric } from './metrics.ts';

/** Says when a failover has happened, when a shard without a writer waits for a person, and when those that see to it fail. */
export function addOutcomeAlarms(
  scope: Construct,
  functions: FailoverFunctions,
  { settings: { environment, config }, notifications }: Pick<FailoverProps, 'settings' | 'notifications'>,
): void {
  for (const name of ['failover', 'conclude-failover'] as const) {
    watchFunction(functions[name], { name, thresholds: config.alarms, notifications });
  }
  const period = Duration.minutes(1);
  new Alarm(scope, 'Held', {
    name: 'failover-held',
    description:
      'The writer of a shard does not serve, and it is not safe to replace it without being told to.',
    runbook: 'failover-held',
    notifications,
    metric: failoverMetric(environment, 'FailoversHeld', period, Stats.MAXIMUM),
  });
  new Alarm(scope, 'Done', {
    name: 'failover-done',
    description: 'A shard has another writer: a failover or a switchover was completed.',
    runbook: 'failover-done',
    notifications,
    metric: failoverMetric(environment, 'FailoversCompleted', period),
  });
}
