import { Duration } from 'aws-cdk-lib';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';

/** Where events and notifications end that could not be delivered: kept two weeks for a person to look at. */
export class DeadLetters extends Construct {
  readonly queue: sqs.Queue;

  /** How the targets of event rules are tried: ten times within two hours, and then set aside here. */
  get delivery(): { deadLetterQueue: sqs.Queue; retryAttempts: number; maxEventAge: Duration } {
    return { deadLetterQueue: this.queue, retryAttempts: 10, maxEventAge: Duration.hours(2) };
  }

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.queue = new sqs.Queue(this, 'Queue', {
      retentionPeriod: Duration.days(14),
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    const last =
      'It is itself the dead-letter queue of event rules, functions and subscriptions, and nothing receives from it automatically; the alarm dead-letters tells a person.';
    acknowledge(this.queue, { 'AwsSolutions-SQS3': last, 'Serverless-SQSRedrivePolicy': last });
  }
}
