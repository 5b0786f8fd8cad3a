import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { CapabilityContract } from '../../functions/shared/contract.ts';
import type { DeploymentConfig } from '../config/schema.ts';
import type { Network } from '../stateful/network.ts';
import { acknowledge, acknowledgeInline } from './acknowledge.ts';
import type { Bundles } from './bundle.ts';
import type { Delivery } from './dead-letters.ts';

/** What all functions of a deployment share. */
export interface FunctionSettings {
  /** Name of the environment. */
  environment: string;
  config: DeploymentConfig;
  bundles: Bundles;
}

/** Condition keys and their values, by operator. */
export type Conditions = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface FunctionProps {
  settings: FunctionSettings;
  /** The capability whose contract names the function and the environment it needs. */
  contract: CapabilityContract;
  /** The function's name in its contract; its entry point is `functions/<capability>/<name>.ts`. */
  name: string;
  /** What it does, for the console. */
  description: string;
  /** Memory in MiB, 128 to 10 240. CPU grows with it: 1 769 is one full CPU. */
  memoryMiB: number;
  /** At most 15 minutes. */
  timeout: Duration;
  /** How often it runs at the same time at most, reserved for it. Default: no limit beside the account's. */
  concurrency?: number | undefined;
  /** Puts the function into the network, where databases are reached and nothing beyond its endpoints. */
  network?: Network;
  /** Set for a function that is invoked asynchronously: where an event goes that failed for good. */
  onFailure?: Delivery;
}

/**
 * A Lambda function made of one bundle, with a role of its own, a log group that ends, and tracing.
 *
 * What it may do and what it knows come from the `grant…` methods of other constructs. The synth fails unless
 * its environment then is exactly what its contract asks for.
 */
export class BundledFunction extends Construct {
  readonly function: lambda.Function;
  /** Its name in its contract. */
  readonly name: string;
  readonly timeout: Duration;
  readonly logGroup: logs.LogGroup;
  private readonly role: iam.Role;
  private readonly environment = new Set<string>();

  constructor(scope: Construct, id: string, props: FunctionProps) {
    super(scope, id);
    const { settings, contract, name } = props;
    const promised = contract.functions[name];
    if (promised === undefined) throw new Error(`The contract of ${contract.name} has no function ${name}`);
    this.name = name;
    this.timeout = props.timeout;
    this.logGroup = new logs.LogGroup(this, 'Log', {
      retention: settings.config.logs.retentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = this.createRole(this.logGroup, props.network !== undefined);
    this.function = new lambda.Function(this, 'Function', {
      description: props.description,
      code: lambda.Code.fromAsset(settings.bundles.directory(contract.name, name)),
      handler: 'index.handler',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: props.memoryMiB,
      timeout: props.timeout,
      ...(props.concurrency !== undefined && { reservedConcurrentExecutions: props.concurrency }),
      role: this.role,
      logGroup: this.logGroup,
      environment: {
        NODE_OPTIONS: '--enable-source-maps',
        MAINSTAY_FUNCTION: name,
        POWERTOOLS_SERVICE_NAME: contract.name,
        POWERTOOLS_METRICS_NAMESPACE: metricsNamespace(settings.environment),
        POWERTOOLS_LOG_LEVEL: settings.config.logs.level,
      },
      ...(props.network !== undefined && {
        vpc: props.network.vpc,
        vpcSubnets: props.network.subnets,
        securityGroups: [props.network.clients],
      }),
      ...(props.onFailure !== undefined && {
        onFailure: new SqsDestination(props.onFailure.queue),
        retryAttempts: 2,
        maxEventAge: Duration.hours(1),
      }),
    });
    this.traceActively();
    acknowledge(this.function, {
      'Serverless-LambdaDLQ':
        props.onFailure === undefined
          ? 'Whoever invokes it hears of its failure: API Gateway, Step Functions and other functions wait for the answer, and CloudFormation, which does not, is answered by the function itself or gives up at its own time limit. A dead-letter queue would tell nobody anything new.'
          : 'Its asynchronous invocations have an on-failure destination, which records what a dead-letter queue does and the error beside it. Both together would record each failure twice.',
    });
    this.node.addValidation({ validate: () => this.compareEnvironment(promised.environment.shape) });
  }

  /** Adds a statement to the function's role. */
  allow(actions: readonly string[], resources: readonly string[]): void {
    this.role.addToPolicy(new iam.PolicyStatement({ actions: [...actions], resources: [...resources] }));
  }

  /** Adds a statement that holds under conditions only. */
  allowWhere(actions: readonly string[], resources: readonly string[], conditions: Conditions): void {
    this.role.addToPolicy(
      new iam.PolicyStatement({ actions: [...actions], resources: [...resources], conditions }),
    );
  }

  /** Lets the function hand a role to a service, and only to that service. */
  allowPassRole(role: iam.IRole, service: string): void {
    this.role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['iam:PassRole'],
        resources: [role.roleArn],
        conditions: { StringEquals: { 'iam:PassedToService': service } },
      }),
    );
  }

  /** Sets an environment variable that the function's contract names. */
  addEnvironment(name: string, value: string): void {
    this.environment.add(name);
    this.function.addEnvironment(name, value);
  }

  /** Lets another function invoke this one, and tells it which one. */
  grantInvoke(fn: BundledFunction, environmentName: string): void {
    fn.allow(['lambda:InvokeFunction'], [this.function.functionArn]);
    fn.addEnvironment(environmentName, this.function.functionArn);
  }

  /** Where to accept a resource pattern in the function's policies. */
  get policies(): iam.Role {
    return this.role;
  }

  private createRole(logGroup: logs.LogGroup, inNetwork: boolean): iam.Role {
    const runtime = new iam.PolicyDocument({
      statements: [
        new iam.PolicyStatement({
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          resources: [logGroup.logGroupArn],
        }),
        new iam.PolicyStatement({
          actions: [
            'xray:PutTraceSegments',
            'xray:PutTelemetryRecords',
            ...(inNetwork ? networkActions : []),
          ],
          resources: ['*'],
        }),
      ],
    });
    // Inline: it keeps what Lambda itself needs, and its wildcard, apart from what the code may do, without a resource more.
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: { Runtime: runtime },
    });
    const reason = inNetwork
      ? 'X-Ray’s write actions have no resource level. The network interface actions are those of AWSLambdaVPCAccessExecutionRole: Lambda makes and removes interfaces whose ids nobody knows beforehand.'
      : 'X-Ray’s write actions have no resource level.';
    acknowledgeInline(role, {
      'AwsSolutions-IAM5[Resource::*]': reason,
      'Serverless-LambdaStarPermissions': reason,
    });
    return role;
  }

  /** The CDK's own switch would put X-Ray's wildcard beside the grants of the code. */
  private traceActively(): void {
    const resource = this.function.node.defaultChild;
    if (!(resource instanceof lambda.CfnFunction))
      throw new Error(`${this.node.path} has no function resource`);
    resource.tracingConfig = { mode: 'Active' };
  }

  private compareEnvironment(
    shape: Record<string, { safeParse(value: undefined): { success: boolean } }>,
  ): string[] {
    const missing = Object.entries(shape)
      .filter(([name, schema]) => !this.environment.has(name) && !schema.safeParse(undefined).success)
      .map(([name]) => `${this.node.path} is not given ${name}, which its contract asks for`);
    const unasked = [...this.environment]
      .filter((name) => !(name in shape))
      .map((name) => `${this.node.path} is given ${name}, which its contract does not name`);
    return [...missing, ...unasked];
  }
}

const networkActions = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/** CloudWatch namespace of an environment's own metrics, so that two environments of one account stay apart. */
export function metricsNamespace(environment: string): string {
  return `Mainstay/${environment}`;
}
