import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { Shard } from '../stateful/shard.ts';

/** What one point of a graph stands for, where its metrics do not say otherwise. */
export const period = Duration.minutes(5);

/** A graph a third of the dashboard wide. */
export function graph(
  title: string,
  left: cloudwatch.IMetric[],
  right: cloudwatch.IMetric[] = [],
  leftAnnotations: cloudwatch.HorizontalAnnotation[] = [],
): cloudwatch.GraphWidget {
  return new cloudwatch.GraphWidget({ title, left, right, leftAnnotations, width: 8, height: 6 });
}

/** What Aurora itself tells of each shard's cluster. */
export function ofShards(
  shards: readonly Shard[],
  metricName: string,
  statistic: string,
): cloudwatch.Metric[] {
  return shards.map(
    (shard) =>
      new cloudwatch.Metric({
        namespace: 'AWS/RDS',
        metricName,
        dimensionsMap: { DBClusterIdentifier: shard.cluster.clusterIdentifier },
        statistic,
        period,
        label: shard.name,
      }),
  );
}
