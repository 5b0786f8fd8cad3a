import { rolePrincipal } from '../aws/credentials.ts';
import type { AwsEndpoint } from '../aws/endpoint.ts';
import type { Principal } from '../aws/operation.ts';
import type { Deliver, DeliveryOrigin } from '../events/delivery.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { LambdaHost } from '../lambda/host.ts';

export interface DeliveryParts {
  authorizer: Authorizer;
  endpoint: AwsEndpoint;
  lambda: LambdaHost;
}

/**
 * Hands events, alarms and notifications to their targets, as the service that sends them: under
 * the role it was given, or by itself when the target's own policy has to admit it.
 *
 * @throws AwsError when the target does not exist or its policies refuse.
 */
export function createDelivery({ authorizer, endpoint, lambda }: DeliveryParts): Deliver {
  return async (targetArn, payload, origin) => {
    const principal = principalOf(origin, authorizer);
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    switch (targetArn.split(':')[2]) {
      case 'lambda':
        authorizer.check(principal, { action: 'lambda:InvokeFunction', resource: targetArn });
        await lambda.invoke(targetArn, text, { type: 'Event' });
        return;
      case 'states':
        await endpoint.call(principal, 'states', 'StartExecution', {
          stateMachineArn: targetArn,
          input: text,
        });
        return;
      case 'sns': {
        const subject = origin.subject === undefined ? {} : { Subject: origin.subject };
        await endpoint.call(principal, 'sns', 'Publish', { TopicArn: targetArn, Message: text, ...subject });
        return;
      }
      case 'sqs':
        await endpoint.call(principal, 'sqs', 'SendMessage', {
          QueueUrl: queueUrl(targetArn),
          MessageBody: text,
        });
        return;
      default:
        throw new Error(`The local runtime does not deliver to ${targetArn}.`);
    }
  };
}

function principalOf({ service, sourceArn, roleArn }: DeliveryOrigin, authorizer: Authorizer): Principal {
  const own: Principal = { kind: 'service', arn: service, sourceArn };
  if (roleArn === undefined) return own;
  // A function's role has been assumed by its process already.
  if (service !== 'lambda.amazonaws.com') {
    authorizer.check(own, { action: 'sts:AssumeRole', resource: roleArn });
  }
  return rolePrincipal(roleArn, service.split('.')[0]);
}

/** Queues are found by the last part of their URL. */
function queueUrl(arn: string): string {
  return `http://queues/${arn.split(':').slice(-2).join('/')}`;
}
