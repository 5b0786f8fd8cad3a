import { AwsError } from '../aws/operation.ts';
import { runtimeError, StatesError } from './errors.ts';
import type { SdkService } from './task-resource.ts';

/** The SDK's own clients know which errors are part of a service's model. */
const clients: Readonly<Record<string, () => Promise<object>>> = {
  dynamodb: () => import('@aws-sdk/client-dynamodb'),
  events: () => import('@aws-sdk/client-eventbridge'),
  kms: () => import('@aws-sdk/client-kms'),
  monitoring: () => import('@aws-sdk/client-cloudwatch'),
  rds: () => import('@aws-sdk/client-rds'),
  scheduler: () => import('@aws-sdk/client-scheduler'),
  secretsmanager: () => import('@aws-sdk/client-secrets-manager'),
  sns: () => import('@aws-sdk/client-sns'),
  ssm: () => import('@aws-sdk/client-ssm'),
  states: () => import('@aws-sdk/client-sfn'),
  sts: () => import('@aws-sdk/client-sts'),
};

/**
 * The error of an AWS call as Step Functions names it: `Kms.NotFoundException` where the service
 * declares the error, else `Kms.KmsException`.
 */
export async function sdkFailure(error: unknown, service: SdkService): Promise<StatesError> {
  if (error instanceof StatesError) return error;
  if (!(error instanceof AwsError)) {
    return runtimeError(error instanceof Error ? error.message : String(error));
  }
  const prefix = service.errorPrefix;
  const declared = await isDeclared(error.code, service.signingName);
  const name = declared ? exceptionName(error.code) : `${prefix}Exception`;
  return new StatesError(
    `${prefix}.${name}`,
    `${error.message} (Service: ${prefix}, Status Code: ${error.statusCode}, Error Code: ${error.code})`,
  );
}

async function isDeclared(code: string, signingName: string): Promise<boolean> {
  const client = (await clients[signingName]?.()) ?? {};
  // Some services leave the last word of an error's name out of its code: DBInstanceNotFound is DBInstanceNotFoundFault.
  const exported = Object.entries(client).find(([name]) => name === code || name === `${code}Fault`)?.[1];
  return typeof exported === 'function' && exported.prototype instanceof Error;
}

/** `DBClusterNotFoundFault` → `DbClusterNotFoundException`, as the SDK behind Step Functions has it. */
function exceptionName(code: string): string {
  const stem = code.replace(/(Exception|Fault|Error)$/, '');
  const words = stem.replaceAll(
    /([A-Z])([A-Z]+)(?=[A-Z][a-z]|$)/g,
    (_, first, rest) => first + rest.toLowerCase(),
  );
  return `${words}Exception`;
}
