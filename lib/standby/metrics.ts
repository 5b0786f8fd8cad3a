import type { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import { replicationRule } from './replication.ts';

export interface ReplicationMetricProps {
  source: s3.Bucket;
  destination: s3.Bucket;
  period: Duration;
}

/**
 * A metric that S3 keeps of the replication rule. `ReplicationLatency` (seconds) is published in the region of the
 * destination, `OperationsFailedReplication` in that of the source.
 */
export function replicationMetric(
  metricName: 'ReplicationLatency' | 'OperationsFailedReplication',
  { source, destination, period }: ReplicationMetricProps,
): cloudwatch.Metric {
  return new cloudwatch.Metric({
    namespace: 'AWS/S3',
    metricName,
    dimensionsMap: {
      SourceBucket: source.bucketName,
      DestinationBucket: destination.bucketName,
      RuleId: replicationRule,
    },
    statistic: metricName === 'ReplicationLatency' ? cloudwatch.Stats.MAXIMUM : cloudwatch.Stats.SUM,
    period,
  });
}
