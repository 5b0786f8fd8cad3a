import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
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
    this.allowAlarms();
    for (const email of props.config.emails) {
      this.topic.addSubscription(new EmailSubscription(email, { deadLetterQueue: props.deadLetters.queue }));
    }
  }

  /** A topic with a policy of its own has lost the one by which alarms may publish. */
  private allowAlarms(): void {
    const alarms = Stack.of(this).formatArn({
      service: 'cloudwatch',
      resource: 'alarm',
      resourceName: `mainstay-${this.environment}-*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    this.topic.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'AlarmsPublish',
        principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [this.topic.topicArn],
        conditions: {
          ArnLike: { 'aws:SourceArn': alarms },
          StringEquals: { 'aws:SourceAccount': Stack.of(this).account },
        },
      }),
    );
  }
}
