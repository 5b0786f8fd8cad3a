import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { Alarm } from '../constructs/alarm.ts';
import { watchFunction } from '../constructs/function-alarms.ts';
import { watchInterval } from './drill-triggers.ts';
import { type RecoveryMetric, recoveryMetric } from './metrics.ts';
import type { Recovery, RecoveryProps } from './recovery.ts';

/** Hours without a word about drills that count as silence: one may be lost on its way. */
const silentHours = 3;

/** Says when drills fail, find what takes too long, or do not happen. */
export function addDrillAlarms(
  scope: Construct,
  { functions }: Recovery,
  { settings, notifications }: RecoveryProps,
): void {
  const { environment, config } = settings;
  const { drill } = config.backup;

  new Alarm(scope, 'DrillFailed', {
    name: 'drill-failed',
    description: 'A drill failed: a restore like it would not have given what it should.',
    runbook: 'drill-failed',
    notifications,
    metric: recoveryMetric(environment, 'DrillsFailed', Duration.minutes(5)),
  });
  const overTarget = (metric: RecoveryMetric, minutes: number) => ({
    notifications,
    metric: recoveryMetric(environment, metric, Duration.minutes(5), Stats.MAXIMUM),
    threshold: minutes * 60,
    comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
    // What a drill has found holds until the next one finds otherwise.
    treatMissingData: TreatMissingData.IGNORE,
  });
  new Alarm(scope, 'RpoOverTarget', {
    ...overTarget('DrillRpoSeconds', drill.rpoMinutes),
    name: 'rpo-over-target',
    description: `A drill found a shard whose newest backup was older than ${drill.rpoMinutes} minutes.`,
    runbook: 'rpo-over-target',
  });
  new Alarm(scope, 'RtoOverTarget', {
    ...overTarget('DrillRtoSeconds', drill.rtoMinutes),
    name: 'rto-over-target',
    description: `Restoring and checking took longer than ${drill.rtoMinutes} minutes in a drill.`,
    runbook: 'rto-over-target',
  });
  if (drill.scheduled) {
    new Alarm(scope, 'DrillMissed', {
      name: 'drill-missed',
      description: `No drill was completed for ${drill.missedAfterHours} hours, or nobody looks any more.`,
      runbook: 'drill-missed',
      notifications,
      metric: recoveryMetric(environment, 'HoursSinceDrill', watchInterval, Stats.MAXIMUM),
      threshold: drill.missedAfterHours,
      comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: silentHours,
      datapointsToAlarm: silentHours,
      treatMissingData: TreatMissingData.BREACHING,
    });
  }
  watchFunction(functions['conclude-drill'], {
    name: 'conclude-drill',
    thresholds: config.alarms,
    notifications,
  });
}
