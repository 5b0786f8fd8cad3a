/** What a `Task` state's `Resource` stands for. */
export type TaskResource =
  /** A function's own ARN: the task's input is the payload, the result is the function's result. */
  | { kind: 'function'; arn: string }
  /** `arn:aws:states:::lambda:invoke` */
  | { kind: 'lambda-invoke' }
  /** `arn:aws:states:::aws-sdk:<service>:<action>` */
  | { kind: 'sdk'; service: SdkService; operation: string }
  /** An optimized integration that is one call of a service, for example `sns:publish`. */
  | { kind: 'optimized'; integration: OptimizedIntegration };

export interface SdkService {
  /** Signing name, by which the emulated AWS knows the service. */
  signingName: string;
  /** How error names start, for example `Kms` in `Kms.KmsException`. */
  errorPrefix: string;
  /** Parameters are PascalCase in definitions; some services have camelCase on the wire. */
  camelCase?: true;
  /** Names begin with an acronym, which definitions write as a word: `DbClusterIdentifier`. */
  acronyms?: true;
}

/** The services of `aws-sdk` integrations, by the name used in a `Resource`. */
const sdkServices: Readonly<Record<string, SdkService>> = {
  cloudwatch: { signingName: 'monitoring', errorPrefix: 'CloudWatch' },
  dynamodb: { signingName: 'dynamodb', errorPrefix: 'DynamoDb' },
  eventbridge: { signingName: 'events', errorPrefix: 'EventBridge' },
  kms: { signingName: 'kms', errorPrefix: 'Kms' },
  rds: { signingName: 'rds', errorPrefix: 'Rds', acronyms: true },
  scheduler: { signingName: 'scheduler', errorPrefix: 'Scheduler' },
  secretsmanager: { signingName: 'secretsmanager', errorPrefix: 'SecretsManager' },
  sfn: { signingName: 'states', errorPrefix: 'Sfn', camelCase: true },
  sns: { signingName: 'sns', errorPrefix: 'Sns' },
  ssm: { signingName: 'ssm', errorPrefix: 'Ssm' },
  sts: { signingName: 'sts', errorPrefix: 'Sts' },
};

export interface OptimizedIntegration extends SdkService {
  /** As in the `Resource`, for example `events:putEvents`. */
  name: string;
  operation: string;
}

const dynamoDb = { signingName: 'dynamodb', errorPrefix: 'DynamoDB' };
const optimizedIntegrations: readonly OptimizedIntegration[] = [
  { name: 'dynamodb:getItem', operation: 'GetItem', ...dynamoDb },
  { name: 'dynamodb:putItem', operation: 'PutItem', ...dynamoDb },
  { name: 'dynamodb:updateItem', operation: 'UpdateItem', ...dynamoDb },
  { name: 'dynamodb:deleteItem', operation: 'DeleteItem', ...dynamoDb },
  { name: 'events:putEvents', operation: 'PutEvents', signingName: 'events', errorPrefix: 'EventBridge' },
  { name: 'sns:publish', operation: 'Publish', signingName: 'sns', errorPrefix: 'SNS' },
  {
    name: 'states:startExecution',
    operation: 'StartExecution',
    signingName: 'states',
    errorPrefix: 'StepFunctions',
    camelCase: true,
  },
];

/**
 * Understands a `Resource`.
 *
 * @throws Error that says which feature of Step Functions it needs that does not exist locally.
 */
export function parseTaskResource(resource: string): TaskResource {
  const [arn, partition, service, region, account, ...rest] = resource.split(':');
  if (arn !== 'arn' || partition === undefined || rest.length === 0) {
    throw new Error(`the resource ${resource} is not an ARN`);
  }
  if (service === 'lambda' && rest[0] === 'function') return { kind: 'function', arn: resource };
  if (service !== 'states' || region !== '' || account !== '') {
    throw new Error(`the resource ${resource} is not supported`);
  }
  const name = rest.join(':');
  const pattern = name.indexOf('.');
  if (pattern >= 0) throw new Error(`${name.slice(pattern)} (${resource}) is not supported`);
  if (name === 'lambda:invoke') return { kind: 'lambda-invoke' };
  const integration = optimizedIntegrations.find((candidate) => candidate.name === name);
  if (integration !== undefined) return { kind: 'optimized', integration };
  const [kind, sdkName = '', action] = rest;
  const sdk = Object.hasOwn(sdkServices, sdkName) ? sdkServices[sdkName] : undefined;
  if (kind === 'aws-sdk' && sdk !== undefined && action !== undefined && rest.length === 3) {
    return { kind: 'sdk', service: sdk, operation: action.charAt(0).toUpperCase() + action.slice(1) };
  }
  throw new Error(`the integration ${resource} is not supported`);
}
