import type { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { metricsNamespace } from '../constructs/function.ts';

/** The metrics that probes publish of each shard, and of all together. */
export type ShardMetric =
  | 'WriterProbeFailed'
  | 'WriterProbeLatency'
  | 'ReplicaLagBytes'
  | 'ReplicaLagSeconds'
  | 'ReadersUnreachable'
  | 'OtherWriters';

/** Those that functions of failover publish of all shards together. */
export type FailoverMetric =
  | ShardMetric
  | 'ProbeCutOff'
  | 'FailoversCompleted'
  | 'FailoversFailed'
  | 'FailoversHeld'
  | 'FailoverRtoMs'
  | 'FailoverRpoBytes';

const service = 'failover';

/** A metric of all shards together; its sum where nothing else is asked for. */
export function failoverMetric(
  environment: string,
  metricName: FailoverMetric,
  period: Duration,
  statistic: string = cloudwatch.Stats.SUM,
): cloudwatch.Metric {
  return metric(environment, metricName, {}, period, statistic);
}

/** A metric of one shard; its sum where nothing else is asked for. */
export function shardMetric(
  environment: string,
  metricName: ShardMetric,
  shard: string,
  period: Duration,
  statistic: string = cloudwatch.Stats.SUM,
): cloudwatch.Metric {
  return metric(environment, metricName, { shard }, period, statistic);
}

function metric(
  environment: string,
  metricName: string,
  dimensions: Record<string, string>,
  period: Duration,
  statistic: string,
): cloudwatch.Metric {
  const namespace = metricsNamespace(environment);
  return new cloudwatch.Metric({
    namespace,
    metricName,
    dimensionsMap: { ...dimensions, service },
    statistic,
    period,
  });
}
