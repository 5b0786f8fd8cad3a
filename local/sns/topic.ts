/** A subscription as the template has it. */
export interface SubscriptionDefinition {
  /** `lambda` is delivered, `email` becomes a log line. */
  protocol: 'lambda' | 'email';
  /** ARN of the function, or an address. */
  endpoint: string;
}

/** What a topic is created as. */
export interface TopicDefinition {
  name: string;
  displayName?: string;
  /** Id, alias or ARN of a customer key. */
  kmsKeyId?: string;
  /** Default: services may publish for resources of the account; roles need an identity policy. */
  policy?: unknown;
  subscriptions?: readonly SubscriptionDefinition[];
}

export interface Subscription extends SubscriptionDefinition {
  arn: string;
}

export interface Topic {
  name: string;
  arn: string;
  displayName: string;
  kmsKeyId: string | undefined;
  policy: unknown;
  subscriptions: Subscription[];
}

/** A message that was published. */
export interface Published {
  messageId: string;
  topicArn: string;
  subject?: string;
  message: string;
  attributes: Record<string, { Type: string; Value: string }>;
  /** ISO 8601. */
  timestamp: string;
}

/** What SNS gives a topic that has no policy of its own. */
export function defaultTopicPolicy(arn: string, accountId: string): unknown {
  return {
    Version: '2008-10-17',
    Id: '__default_policy_ID',
    Statement: [
      {
        Sid: '__default_statement_ID',
        Effect: 'Allow',
        Principal: { AWS: '*' },
        Action: ['GetTopicAttributes', 'ListSubscriptionsByTopic', 'Publish'].map(
          (action) => `SNS:${action}`,
        ),
        Resource: arn,
        Condition: { StringEquals: { 'AWS:SourceOwner': accountId } },
      },
    ],
  };
}

/** The event a function gets for a message. Its signature is not one that could be verified. */
export function lambdaEvent(published: Published, subscriptionArn: string): Record<string, unknown> {
  return {
    Records: [
      {
        EventSource: 'aws:sns',
        EventVersion: '1.0',
        EventSubscriptionArn: subscriptionArn,
        Sns: {
          Type: 'Notification',
          MessageId: published.messageId,
          TopicArn: published.topicArn,
          Subject: published.subject ?? null,
          Message: published.message,
          Timestamp: published.timestamp,
          SignatureVersion: '1',
          Signature: 'EXAMPLE',
          SigningCertUrl: 'EXAMPLE',
          UnsubscribeUrl: 'EXAMPLE',
          MessageAttributes: published.attributes,
        },
      },
    ],
  };
}
