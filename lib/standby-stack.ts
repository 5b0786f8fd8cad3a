import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { DeploymentConfig } from './config/schema.ts';
import type { StandbyConfig } from './config/standby.ts';
import { Alarm } from './constructs/alarm.ts';
import { DeadLetters } from './constructs/dead-letters.ts';
import { Notifications } from './constructs/notifications.ts';
import { replicationMetric } from './standby/metrics.ts';
import { ReplicaKeys } from './standby/replica-keys.ts';
import type { Vault } from './standby/vault.ts';
import type { StatefulStack } from './stateful-stack.ts';

export interface StandbyStackProps extends StackProps {
  /** Name of the environment. */
  environment: string;
  config: DeploymentConfig;
  standby: StandbyConfig;
  stateful: StatefulStack;
  /** Where the copies are. */
  vault: Vault;
}

/** What the second region has beside the copies: the keys to open them, and an alarm when they fall behind. */
export class StandbyStack extends Stack {
  constructor(scope: Construct, id: string, props: StandbyStackProps) {
    const { environment, config, standby, stateful, vault, ...rest } = props;
    super(scope, id, rest);
    const keys = new ReplicaKeys(this, 'Keys', stateful.keys);
    const deadLetters = new DeadLetters(this, 'DeadLetters', { environment });
    const notifications = new Notifications(this, 'Notifications', {
      environment,
      config: config.alarms,
      key: keys.data,
      deadLetters,
    });
    const raisedAtOnce = {
      notifications,
    };
    new Alarm(this, 'ReplicationLag', {
      ...raisedAtOnce,
      name: 'replication-lag',
      description: `Copies of backups are ${standby.lagMinutes} minutes behind their originals.`,
      runbook: 'replication-lag',
      metric: replicationMetric('ReplicationLatency', {
        source: stateful.buckets.backups.bucket,
        destination: vault.bucket,
        period: Duration.minutes(5),
      }),
      threshold: Duration.minutes(standby.lagMinutes).toSeconds(),
    });
    new Alarm(this, 'UndeliveredNotifications', {
      ...raisedAtOnce,
      name: 'dead-letters-standby',
      description: 'A notification of the second region could not be delivered and was set aside.',
      runbook: 'dead-letters',
      metric: deadLetters.queue.metricApproximateNumberOfMessagesVisible({
        period: Duration.minutes(5),
        statistic: 'Maximum',
      }),
      threshold: 1,
    });
  }
}
