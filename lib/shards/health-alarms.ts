import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { HealthMetric } from '../../functions/shards/health/health-metrics.ts';
import { Alarm } from '../constructs/alarm.ts';
import { capabilityMetric } from '../constructs/capability-metric.ts';
import type { FunctionSettings } from '../constructs/function.ts';
import type { Notifications } from '../constructs/notifications.ts';

/** Says what the scheduled looks at the shards have found; which shard it is `GET /api/database/health` tells. */
export function addHealthAlarms(
  scope: Construct,
  { environment, config: { health, database } }: FunctionSettings,
  notifications: Notifications,
): void {
  const period = Duration.minutes(health.intervalMinutes);
  const worst = (name: HealthMetric) => capabilityMetric(environment, 'shards', name, period, Stats.MAXIMUM);
  // Twice of three times: what passes by itself wakes nobody.
  const lasting = { evaluationPeriods: 3, datapointsToAlarm: 2 };
  new Alarm(scope, 'Unhealthy', {
    name: 'shard-unhealthy',
    description:
      'An instance of a shard does not answer, is not what it should be, or is behind: twice in a row.',
    runbook: 'shard-unhealthy',
    notifications,
    metric: worst('InstancesUnhealthy'),
    ...lasting,
  });
  new Alarm(scope, 'Connections', {
    name: 'database-connections',
    description: `An instance has ${percentOf(health.connectionsShare)} % and more of its connections taken.`,
    runbook: 'database-connections',
    notifications,
    metric: worst('ConnectionsUsedPercent'),
    threshold: percentOf(health.connectionsShare),
    ...lasting,
  });
  new Alarm(scope, 'Stuck', {
    name: 'stuck-transactions',
    description: `Transactions are open for more than ${health.longTransactionSeconds} s, or statements wait for locks for more than ${health.blockedSeconds} s.`,
    runbook: 'stuck-transactions',
    notifications,
    metric: new cloudwatch.MathExpression({
      expression: 'FILL(long, 0) + FILL(blocked, 0)',
      label: 'Long transactions and blocked statements',
      period,
      usingMetrics: { long: worst('LongTransactions'), blocked: worst('BlockedQueries') },
    }),
    ...lasting,
  });
  new Alarm(scope, 'SlowQueries', {
    name: 'slow-queries',
    description: `More than ${health.slowQueries} statements of the shards took ${database.slowQueryMs} ms and longer within ${health.intervalMinutes} minutes.`,
    runbook: 'slow-queries',
    notifications,
    metric: capabilityMetric(environment, 'shards', 'SlowQueries', period),
    threshold: health.slowQueries,
    comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
  });
  new Alarm(scope, 'Wraparound', {
    name: 'transaction-wraparound',
    description: `A shard has used up ${percentOf(health.wraparoundShare)} % and more of its transaction ids.`,
    runbook: 'transaction-wraparound',
    notifications,
    metric: worst('WraparoundPercent'),
    threshold: percentOf(health.wraparoundShare),
  });
}

const percentOf = (share: number): number => Math.round(share * 100);
