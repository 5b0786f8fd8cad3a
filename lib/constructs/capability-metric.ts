import type { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';

import { metricsNamespace } from './function.ts';

/** A metric that the functions of a capability publish, over a period; its sum where nothing else is asked for. */
export function capabilityMetric(
  environment: string,
  capability: string,
  metricName: string,
  period: Duration,
  statistic: string = cloudwatch.Stats.SUM,
): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: metricsNamespace(environment),
    metricName,
    dimensionsMap: { service: capability },
    statistic,
    period,
  });
}
