import { GetTopicAttributes$, ListSubscriptionsByTopic$, ListTopics$, Publish$ } from '@aws-sdk/client-sns';
import * as z from 'zod';
import type { QueryOperation } from '../aws/api.ts';
import { defineOperation } from '../aws/define-operation.ts';
import { blob } from '../aws/input.ts';
import { page } from '../aws/paging.ts';
import type { KmsService } from '../kms/kms-service.ts';
import type { Published, Subscription, Topic } from './topic.ts';

export interface SnsParts {
  topics(): readonly Topic[];
  /** Throws `NotFound`. */
  find(arn: string): Topic;
  /** Gives the message id. */
  publish(topic: Topic, message: Pick<Published, 'subject' | 'message' | 'attributes'>): string;
  kms: Pick<KmsService, 'useBy'>;
}

const pageSize = 100;
const arn = z.string().min(1);
const topicSchema = z.strictObject({ TopicArn: arn });
const subscriptionsSchema = topicSchema.extend({ NextToken: z.string().optional() });
const attributeSchema = z.strictObject({
  DataType: z.string().regex(/^(String|Number|Binary)(\.|$)/),
  StringValue: z.string().optional(),
  BinaryValue: blob.optional(),
});
const publishSchema = z
  .strictObject({
    TopicArn: arn.optional(),
    TargetArn: arn.optional(),
    Message: z
      .string()
      .min(1)
      .refine((text) => Buffer.byteLength(text) <= 262_144, 'must have 256 KiB at most'),
    Subject: z
      .string()
      .regex(/^[\x20-\x7e]{1,100}$/, 'must be a line of 1 to 100 ASCII characters')
      .optional(),
    MessageAttributes: z.record(z.string(), attributeSchema).default({}),
  })
  .transform(({ TopicArn, TargetArn, ...rest }) => ({ topicArn: TopicArn ?? TargetArn ?? '', ...rest }))
  .refine(({ topicArn }) => topicArn !== '', 'needs a TopicArn');

/** The operations on topics. */
export function snsOperations(sns: SnsParts): Record<string, QueryOperation> {
  const onTopic = (action: string, topic: Topic) => ({ action: `sns:${action}`, resource: topic.arn });
  return {
    Publish: {
      schema: Publish$,
      ...defineOperation('sns:Publish', publishSchema, {
        authorize: ({ topicArn }) => {
          const topic = sns.find(topicArn);
          const { kmsKeyId } = topic;
          const keyActions = kmsKeyId === undefined ? [] : (['kms:GenerateDataKey', 'kms:Decrypt'] as const);
          return [
            onTopic('Publish', topic),
            ...keyActions.map((action) =>
              sns.kms.useBy('sns', kmsKeyId ?? '', action, { 'aws:sns:topicArn': topic.arn }),
            ),
          ];
        },
        run: ({ topicArn, Message, Subject, MessageAttributes }) => ({
          MessageId: sns.publish(sns.find(topicArn), {
            message: Message,
            attributes: Object.fromEntries(
              Object.entries(MessageAttributes).map(([name, { DataType, StringValue, BinaryValue }]) => [
                name,
                { Type: DataType, Value: StringValue ?? Buffer.from(BinaryValue ?? []).toString('base64') },
              ]),
            ),
            ...(Subject === undefined ? {} : { subject: Subject }),
          }),
        }),
      }),
    },
    ListTopics: {
      schema: ListTopics$,
      ...defineOperation('sns:ListTopics', z.strictObject({ NextToken: z.string().optional() }), {
        authorize: () => [{ action: 'sns:ListTopics', resource: '*' }],
        run: ({ NextToken }) => {
          const { items, next } = paged(sns.topics(), NextToken);
          return { Topics: items.map((topic) => ({ TopicArn: topic.arn })), NextToken: next };
        },
      }),
    },
    ListSubscriptionsByTopic: {
      schema: ListSubscriptionsByTopic$,
      ...defineOperation('sns:ListSubscriptionsByTopic', subscriptionsSchema, {
        authorize: ({ TopicArn }) => [onTopic('ListSubscriptionsByTopic', sns.find(TopicArn))],
        run: ({ TopicArn, NextToken }, { accountId }) => {
          const { items, next } = paged(sns.find(TopicArn).subscriptions, NextToken);
          const described = items.map((subscription: Subscription) => ({
            SubscriptionArn: subscription.arn,
            Owner: accountId,
            Protocol: subscription.protocol,
            Endpoint: subscription.endpoint,
            TopicArn,
          }));
          return { Subscriptions: described, NextToken: next };
        },
      }),
    },
    GetTopicAttributes: {
      schema: GetTopicAttributes$,
      ...defineOperation('sns:GetTopicAttributes', topicSchema, {
        authorize: ({ TopicArn }) => [onTopic('GetTopicAttributes', sns.find(TopicArn))],
        run: ({ TopicArn }, { accountId }) => {
          const topic = sns.find(TopicArn);
          const attributes = {
            TopicArn: topic.arn,
            DisplayName: topic.displayName,
            Owner: accountId,
            Policy: JSON.stringify(topic.policy),
            SubscriptionsConfirmed: String(topic.subscriptions.length),
            SubscriptionsPending: '0',
            SubscriptionsDeleted: '0',
            ...(topic.kmsKeyId === undefined ? {} : { KmsMasterKeyId: topic.kmsKeyId }),
          };
          return { Attributes: attributes };
        },
      }),
    },
  };
}

function paged<T extends { arn: string }>(items: readonly T[], token: string | undefined) {
  return page(items, { keyOf: ({ arn }) => arn, limit: pageSize, token, invalidToken: 'InvalidParameter' });
}
