import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { Alarm } from '../constructs/alarm.ts';
import { capabilityMetric } from '../constructs/capability-metric.ts';
import type { CdnProps } from './cdn.ts';

/** Says when the edge serves little from its cache, when it answers with errors, and when its logs are counted late. */
export function addAnalyticsAlarms(
  scope: Construct,
  { settings: { environment, config }, notifications }: CdnProps,
): void {
  const { hitRatePercent, serverErrorPercent, minimumRequests, ingestLagMinutes } = config.cdn.alarms;
  const period = Duration.minutes(15);
  const metric = (name: string, statistic?: string) =>
    capabilityMetric(environment, 'cdn', name, period, statistic);
  const three = { evaluationPeriods: 3, datapointsToAlarm: 2 };

  if (hitRatePercent > 0) {
    new Alarm(scope, 'HitRate', {
      name: 'edge-hit-rate',
      description: `The edge answers less than ${hitRatePercent} % from its cache.`,
      runbook: 'edge-hit-rate',
      notifications,
      metric: new cloudwatch.MathExpression({
        expression: `IF(FILL(hits, 0) + FILL(misses, 0) >= ${minimumRequests}, 100 * hits / (hits + misses), 100)`,
        label: 'Hit rate in per cent, 100 where there is little traffic',
        period,
        usingMetrics: { hits: metric('EdgeHits'), misses: metric('EdgeMisses') },
      }),
      comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: hitRatePercent,
      ...three,
    });
  }
  new Alarm(scope, 'ServerErrors', {
    name: 'edge-server-errors',
    description: `More than ${serverErrorPercent} % of what the edge answers are server errors.`,
    runbook: 'edge-server-errors',
    notifications,
    metric: new cloudwatch.MathExpression({
      expression: `IF(FILL(requests, 0) >= ${minimumRequests}, 100 * errors / requests, 0)`,
      label: 'Server errors in per cent, 0 where there is little traffic',
      period,
      usingMetrics: { errors: metric('EdgeServerErrors'), requests: metric('EdgeRequests') },
    }),
    comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
    threshold: serverErrorPercent,
    ...three,
  });
  new Alarm(scope, 'IngestLag', {
    name: 'edge-log-lag',
    description: `Logs of the edge are counted more than ${ingestLagMinutes} minutes after they have arrived.`,
    runbook: 'edge-log-lag',
    notifications,
    metric: metric('LogIngestLag', cloudwatch.Stats.MAXIMUM),
    comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
    threshold: Duration.minutes(ingestLagMinutes).toMilliseconds(),
  });
}
