import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { Alarm } from '../constructs/alarm.ts';
import { watchFunction } from '../constructs/function-alarms.ts';
import { recoveryMetric } from './metrics.ts';
import type { Recovery, RecoveryProps } from './recovery.ts';

/** Says when backups fail, do not happen, or when what cleans up after them does not work. */
export function addAlarms(
  scope: Construct,
  recovery: Recovery,
  { settings, stateful, notifications }: RecoveryProps,
): void {
  const { environment, config } = settings;
  const hours = config.backup.missedAfterHours;

  new Alarm(scope, 'BackupFailed', {
    name: 'backup-failed',
    description: 'A backup failed. What it had stored is being removed; the backups before it are untouched.',
    runbook: 'backup-failed',
    notifications,
    metric: recoveryMetric(environment, 'BackupsFailed', Duration.minutes(5)),
  });
  new Alarm(scope, 'BackupMissed', {
    name: 'backup-missed',
    description: `No backup was completed for ${hours} hours.`,
    runbook: 'backup-missed',
    notifications,
    metric: recoveryMetric(environment, 'BackupsCompleted', Duration.hours(1)),
    threshold: 1,
    comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
    evaluationPeriods: hours,
    datapointsToAlarm: hours,
    // An hour without a completed backup publishes nothing at all.
    treatMissingData: TreatMissingData.BREACHING,
  });
  new Alarm(scope, 'BackupDamaged', {
    name: 'backup-damaged',
    description: 'A verification found a stored backup to be other than it was written.',
    runbook: 'backup-damaged',
    notifications,
    metric: recoveryMetric(environment, 'VerificationFindings', Duration.minutes(5)),
  });
  if (stateful.escrow !== undefined) {
    new Alarm(scope, 'EscrowMissing', {
      name: 'escrow-missing',
      description:
        'A backup has objects that the escrow passphrase does not open: with their KMS key they are lost.',
      runbook: 'escrow-missing',
      notifications,
      metric: recoveryMetric(environment, 'ObjectsWithoutEscrow', Duration.minutes(5)),
    });
    const name = 'derive-escrow';
    watchFunction(recovery.functions[name], { name, thresholds: config.alarms, notifications });
  }
  new Alarm(scope, 'RestoreFailed', {
    name: 'restore-failed',
    description:
      'A restore failed. The databases of the platform are as they were; it can be resumed for 24 hours.',
    runbook: 'restore-failed',
    notifications,
    metric: recoveryMetric(environment, 'RestoresFailed', Duration.minutes(5)),
  });
  for (const name of [
    'conclude',
    'sweep',
    'expire',
    'restore-database',
    'discard-point-in-time',
    'start-import',
  ] as const) {
    watchFunction(recovery.functions[name], { name, thresholds: config.alarms, notifications });
  }
}
