import * as z from 'zod';
import type { SqsService } from '../../sqs/sqs-service.ts';
import { physicalName, type ResourceHandler } from '../resource.ts';
import type { ResourcePolicies } from '../resource-policies.ts';

const queueProperties = z.looseObject({
  QueueName: z.string().optional(),
  MessageRetentionPeriod: z.coerce.number().optional(),
  VisibilityTimeout: z.coerce.number().optional(),
});
const policyProperties = z.object({
  Queues: z.array(z.string()),
  PolicyDocument: z.looseObject({ Statement: z.array(z.unknown()) }),
});

/** Queues and who may send to them. */
export function sqsResources(sqs: SqsService, policies: ResourcePolicies): Record<string, ResourceHandler> {
  return {
    'AWS::SQS::Queue': async (request) => {
      const properties = queueProperties.parse(request.properties);
      const name = properties.QueueName ?? physicalName(request);
      const { arn, url } = await sqs.ensureQueue(name, {
        ...(properties.MessageRetentionPeriod !== undefined && {
          retentionSeconds: properties.MessageRetentionPeriod,
        }),
        ...(properties.VisibilityTimeout !== undefined && {
          visibilitySeconds: properties.VisibilityTimeout,
        }),
      });
      return { ref: url, attributes: { Arn: arn, QueueName: name, QueueUrl: url } };
    },
    'AWS::SQS::QueuePolicy': (request) => {
      const { Queues, PolicyDocument } = policyProperties.parse(request.properties);
      for (const url of Queues)
        policies.contribute(sqs.arnOf(url), request.logicalId, PolicyDocument.Statement);
      return { ref: physicalName(request) };
    },
  };
}
