import { stackId } from '../assembly/intrinsics.ts';
import type { ResourceHandler } from '../provision/resource.ts';
import { ResourcePolicies } from '../provision/resource-policies.ts';
import { apiGatewayResources } from '../provision/resources/api-gateway.ts';
import { cloudFrontResources } from '../provision/resources/cloudfront.ts';
import { cloudWatchResources } from '../provision/resources/cloudwatch.ts';
import { dynamoDbResources } from '../provision/resources/dynamodb.ts';
import { eventsResources } from '../provision/resources/events.ts';
import { iamResources } from '../provision/resources/iam.ts';
import { inertResources } from '../provision/resources/inert.ts';
import { kmsResources } from '../provision/resources/kms.ts';
import { lambdaResources } from '../provision/resources/lambda.ts';
import { logDeliveryResources } from '../provision/resources/log-deliveries.ts';
import { logsResources } from '../provision/resources/logs.ts';
import { rdsResources } from '../provision/resources/rds.ts';
import { s3Resources } from '../provision/resources/s3.ts';
import { schedulerResources } from '../provision/resources/scheduler.ts';
import { secretsManagerResources } from '../provision/resources/secrets-manager.ts';
import { snsResources } from '../provision/resources/sns.ts';
import { sqsResources } from '../provision/resources/sqs.ts';
import { ssmResources } from '../provision/resources/ssm.ts';
import { stepFunctionsResources } from '../provision/resources/step-functions.ts';
import { RoleBook } from '../provision/role-book.ts';
import { accountId, type Parts, region } from './parts.ts';

/** Finds the handler of a resource type; every type the runtime understands is listed here. */
export function resourceHandlers(parts: Parts): (type: string) => ResourceHandler | undefined {
  const place = { region, accountId };
  const policies = new ResourcePolicies(parts.authorizer);
  const handlers: Record<string, ResourceHandler> = {
    ...inertResources(),
    ...apiGatewayResources(parts.httpApi, place),
    ...cloudFrontResources(parts.cloudFront),
    ...cloudWatchResources(parts.cloudWatch),
    ...dynamoDbResources(parts.dynamoDb),
    ...eventsResources(parts.buses, place),
    ...iamResources(new RoleBook(parts.authorizer, accountId)),
    ...kmsResources(parts.kms),
    ...lambdaResources({ host: parts.lambda, logs: parts.logs, policies, ...place }),
    ...logsResources(parts.logs, parts.subscriptions),
    ...logDeliveryResources(parts.logDeliveries),
    ...rdsResources(parts.rds),
    ...s3Resources(parts.s3),
    ...schedulerResources(parts.scheduler),
    ...secretsManagerResources(parts.secrets),
    ...snsResources(parts.sns),
    ...sqsResources(parts.sqs, policies),
    ...ssmResources(parts.ssm),
    ...stepFunctionsResources(parts.stepFunctions, place),
  };
  const custom: ResourceHandler = async (request) => {
    const { physicalResourceId, data } = await parts.customResources.ensure({
      stackId: stackId({ ...place, stackName: request.stackName }),
      logicalId: request.logicalId,
      type: request.type,
      properties: request.properties,
    });
    return { ref: physicalResourceId, attributes: data };
  };
  return (type) =>
    type.startsWith('Custom::') || type === 'AWS::CloudFormation::CustomResource' ? custom : handlers[type];
}
