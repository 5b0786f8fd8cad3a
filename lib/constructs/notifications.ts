import type * as kms from 'aws-cdk-lib/aws-kms';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { DeploymentConfig } from '../config/schema.ts';
import type { DeadLetters } from './dead-letters.ts';

export interface NotificationsProps {
  /** Name of the environment. */
  environment: string;
  config: DeploymentConfig['alarms'];
  key: kms.IKey;
  deadLetters: DeadLetters;
}

/** Who is told when an alarm changes state: one encrypted topic and its subscribers. */
export class Notifications extends Construct {
  readonly environment: string;
  readonly runbookBaseUrl: string;
  readonly topic: sns.Topic;

  constructor(scope: Construct, id: string, props: NotificationsProps) {
    super(scope, id);
    this.environment = props.environment;
    this.runbookBaseUrl = props.config.runbookBaseUrl.replace(/\/+$/, '');
    this.topic = new sns.Topic(this, 'Topic', {
      displayName: `Mainstay ${props.environment}`,
      masterKey: props.key,
      enforceSSL: true,
    });
    for (const email of props.config.emails) {
      this.topic.addSubscription(new EmailSubscription(email, { deadLetterQueue: props.deadLetters.queue }));
    }
  }
}
