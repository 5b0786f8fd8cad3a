import type { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { metricsNamespace } from '../constructs/function.ts';

/** The metrics that the functions of this capability publish. */
export type RecoveryMetric = 'BackupsCompleted' | 'BackupsFailed';

/** A metric of the recovery functions, summed over a period. */
export function recoveryMetric(
  environment: string,
  metricName: RecoveryMetric,
  period: Duration,
): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: metricsNamespace(environment),
    metricName,
    dimensionsMap: { service: 'recovery' },
    statistic: cloudwatch.Stats.SUM,
    period,
  });
}
