import { Duration } from 'aws-cdk-lib';
import type * as s3 from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { Alarm } from '../constructs/alarm.ts';
import type { Notifications } from '../constructs/notifications.ts';
import { replicationMetric } from './metrics.ts';

export interface ReplicationAlarmProps {
  source: s3.Bucket;
  destination: s3.Bucket;
  notifications: Notifications;
}

/** Says in the first region, where S3 counts them, when objects could not be copied to the second. */
export function watchReplication(scope: Construct, props: ReplicationAlarmProps): void {
  const { notifications, ...buckets } = props;
  new Alarm(scope, 'ReplicationFailed', {
    name: 'replication-failed',
    description: 'Objects of backups could not be copied to the second region, and S3 does not try again.',
    runbook: 'replication-failed',
    notifications,
    metric: replicationMetric('OperationsFailedReplication', { ...buckets, period: Duration.minutes(5) }),
  });
}
