import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';

/** How events are delivered, and where they end when they cannot be. */
export interface Delivery {
  readonly queue: sqs.IQueue;
  /** How the targets of event rules are tried: ten times within two hours, and then set aside. */
  readonly delivery: { deadLetterQueue: sqs.IQueue; retryAttempts: number; maxEventAge: Duration };
}

/** Where events and notifications end that could not be delivered: kept two weeks for a person to look at. */
export class DeadLetters extends Construct implements Delivery {
  readonly queue: sqs.Queue;

  get delivery(): Delivery['delivery'] {
    return deliverOr(this.queue);
  }

  constructor(scope: Construct, id: string, { environment }: { environment: string }) {
    super(scope, id);
    this.queue = new sqs.Queue(this, 'Queue', {
      retentionPeriod: Duration.days(14),
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    // Rules of later stacks: the queue cannot name them without depending on what depends on it.
    const stack = Stack.of(this);
    this.queue.addToResourcePolicy(
      new iam.PolicyStatement({
        sid: 'RulesOfLaterStacks',
        principals: [new iam.ServicePrincipal('events.amazonaws.com')],
        actions: ['sqs:SendMessage'],
        resources: [this.queue.queueArn],
        conditions: {
          ArnLike: {
            'aws:SourceArn': stack.formatArn({
              service: 'events',
              resource: 'rule',
              resourceName: `Mainstay-${environment}-*`,
            }),
          },
        },
      }),
    );
    const last =
      'It is itself the dead-letter queue of event rules, functions and subscriptions, and nothing receives from it automatically; the alarm dead-letters tells a person.';
    acknowledge(this.queue, { 'AwsSolutions-SQS3': last, 'Serverless-SQSRedrivePolicy': last });
  }

  /** The same queue for rules and functions of a stack that comes later. */
  in(scope: Construct): Delivery {
    const queue = sqs.Queue.fromQueueArn(scope, 'DeadLetters', this.queue.queueArn);
    return { queue, delivery: deliverOr(queue) };
  }
}

const deliverOr = (deadLetterQueue: sqs.IQueue): Delivery['delivery'] => ({
  deadLetterQueue,
  retryAttempts: 10,
  maxEventAge: Duration.hours(2),
});
