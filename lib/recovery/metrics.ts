import type { Duration } from 'aws-cdk-lib';
import type * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { capabilityMetric } from '../constructs/capability-metric.ts';

/** The metrics that the functions of this capability publish. */
export type RecoveryMetric =
  | 'BackupsCompleted'
  | 'BackupsFailed'
  | 'BackupsExpired'
  | 'ExpiryRefused'
  | 'BackupDurationMs'
  | 'BackupBytes'
  | 'VerificationFindings'
  | 'ObjectsWithoutEscrow'
  | 'RestoresCompleted'
  | 'RestoresFailed'
  | 'DrillsCompleted'
  | 'DrillsFailed'
  | 'DrillRpoSeconds'
  | 'DrillRtoSeconds'
  | 'HoursSinceDrill';

/** A metric of the recovery functions, over a period; its sum where nothing else is asked for. */
export function recoveryMetric(
  environment: string,
  metricName: RecoveryMetric,
  period: Duration,
  statistic?: string,
): cloudwatch.Metric {
  return capabilityMetric(environment, 'recovery', metricName, period, statistic);
}
