import * as z from 'zod';
import type { SnsService } from '../../sns/sns-service.ts';
import type { SubscriptionDefinition, TopicDefinition } from '../../sns/topic.ts';
import { physicalName, type ResourceHandler } from '../resource.ts';

const topicProperties = z.looseObject({
  TopicName: z.string().optional(),
  DisplayName: z.string().default(''),
  KmsMasterKeyId: z.string().optional(),
});
const policyProperties = z.object({ Topics: z.array(z.string()), PolicyDocument: z.unknown() });
const subscriptionProperties = z.looseObject({
  TopicArn: z.string(),
  Protocol: z.enum(['lambda', 'email']),
  Endpoint: z.string(),
});

/** Topics. Policies and subscriptions are resources of their own, so each that arrives defines the topic anew. */
export function snsResources(sns: SnsService): Record<string, ResourceHandler> {
  const topics = new Map<string, TopicDefinition & { subscriptions: SubscriptionDefinition[] }>();
  const topicAt = (arn: string) => {
    const topic = topics.get(arn);
    if (topic === undefined) throw new Error(`There is no topic ${arn}.`);
    return topic;
  };

  return {
    'AWS::SNS::Topic': (request) => {
      const properties = topicProperties.parse(request.properties);
      const topic = {
        name: properties.TopicName ?? physicalName(request),
        displayName: properties.DisplayName,
        ...(properties.KmsMasterKeyId && { kmsKeyId: properties.KmsMasterKeyId }),
        subscriptions: [],
      };
      const { arn, name } = sns.ensureTopic(topic);
      topics.set(arn, topic);
      return { ref: arn, attributes: { TopicArn: arn, TopicName: name } };
    },
    'AWS::SNS::TopicPolicy': (request) => {
      const { Topics, PolicyDocument } = policyProperties.parse(request.properties);
      for (const arn of Topics) sns.ensureTopic(Object.assign(topicAt(arn), { policy: PolicyDocument }));
      return { ref: physicalName(request) };
    },
    'AWS::SNS::Subscription': (request) => {
      const { TopicArn, Protocol, Endpoint } = subscriptionProperties.parse(request.properties);
      const topic = topicAt(TopicArn);
      topic.subscriptions.push({ protocol: Protocol, endpoint: Endpoint });
      sns.ensureTopic(topic);
      return { ref: `${TopicArn}:${physicalName(request).slice(-10)}` };
    },
  };
}
