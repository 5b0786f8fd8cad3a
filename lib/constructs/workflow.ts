import { Aws, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as stepfunctions from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { DeploymentConfig } from '../config/schema.ts';
import { acknowledgeInline, acknowledgeResource } from './acknowledge.ts';
import type { BundledFunction } from './function.ts';
import type { States } from './states.ts';

export interface WorkflowProps {
  /** Name of the environment. */
  environment: string;
  config: DeploymentConfig;
  /** What the workflow is called, without the environment. */
  name: string;
  /** The definition in Amazon States Language, with JSONPath. */
  definition: { Comment: string; StartAt: string; TimeoutSeconds: number; States: States };
  /** Every function that the definition invokes. */
  functions: readonly BundledFunction[];
}

/** A standard Step Functions workflow with a role of its own, traced, its transitions logged without their data. */
export class Workflow extends Construct {
  readonly arn: string;
  readonly name: string;
  /** What it is called, without the environment. */
  readonly called: string;
  /** Where its transitions are logged. */
  readonly logGroupName: string;
  private readonly role: iam.Role;

  constructor(scope: Construct, id: string, props: WorkflowProps) {
    super(scope, id);
    this.called = props.name;
    this.role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('states.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      inlinePolicies: {
        Runtime: new iam.PolicyDocument({
          statements: [new iam.PolicyStatement({ actions: runtimeActions, resources: ['*'] })],
        }),
      },
    });
    acknowledgeInline(this.role, {
      'AwsSolutions-IAM5[Resource::*]':
        'Actions that Step Functions needs to deliver its log and its traces; IAM defines no resources for them.',
    });
    this.allow(
      ['lambda:InvokeFunction'],
      props.functions.map((fn) => fn.function.functionArn),
    );
    // CloudWatch's resource policy has room for few names; this prefix is covered by one entry.
    this.logGroupName = `/aws/vendedlogs/states/mainstay-${props.environment}-${props.name}`;
    const log = new logs.LogGroup(this, 'Log', {
      logGroupName: this.logGroupName,
      retention: props.config.logs.retentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const machine = new stepfunctions.CfnStateMachine(this, 'Machine', {
      stateMachineType: 'STANDARD',
      definitionString: Stack.of(this).toJsonString(props.definition),
      roleArn: this.role.roleArn,
      loggingConfiguration: {
        level: 'ALL',
        includeExecutionData: false,
        destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: log.logGroupArn } }],
      },
      tracingConfiguration: { enabled: true },
    });
    machine.node.addDependency(this.role);
    this.arn = machine.attrArn;
    this.name = machine.attrName;
    if (hasDistributedMap(props.definition)) this.allowChildren();
  }

  /** Adds a statement to the workflow's role. */
  allow(actions: readonly string[], resources: readonly string[]): void {
    this.role.addToPolicy(new iam.PolicyStatement({ actions: [...actions], resources: [...resources] }));
  }

  /** Where to accept a resource pattern in the workflow's policies. */
  get policies(): iam.Role {
    return this.role;
  }

  /** Lets a function start executions, and stop them by name; tells it which workflow. */
  grantRun(fn: BundledFunction, environmentName: string): void {
    fn.allow(['states:StartExecution'], [this.arn]);
    this.grantStop(fn);
    fn.addEnvironment(environmentName, this.arn);
  }

  /** Lets a function stop executions by name. */
  grantStop(fn: BundledFunction): void {
    fn.allow(['states:StopExecution'], [this.executions]);
    acknowledgeResource(
      fn.policies,
      this.executions,
      'Executions are named when they start; the pattern ends with this workflow’s own name and covers no other.',
    );
  }

  /** Lets another workflow start executions of this one, and see how they end. */
  grantRunFrom(workflow: Workflow): void {
    workflow.allow(['states:StartExecution'], [this.arn]);
    workflow.allow(['states:DescribeExecution'], [this.executions]);
    acknowledgeResource(
      workflow.policies,
      this.executions,
      'Executions are named when they start; the pattern ends with this workflow’s own name and covers no other.',
    );
  }

  /** All executions of this workflow. */
  private get executions(): string {
    return `arn:${Aws.PARTITION}:states:${Aws.REGION}:${Aws.ACCOUNT_ID}:execution:${this.name}:*`;
  }

  /**
   * A distributed Map runs its items as executions of the workflow's own, which it starts, watches and stops. Children
   * are named `<workflow>/<label>:<id>`; AWS asks for the right to watch and stop on `<workflow>:<id>` as well.
   */
  private allowChildren(): void {
    const children = `arn:${Aws.PARTITION}:states:${Aws.REGION}:${Aws.ACCOUNT_ID}:execution:${this.name}/*`;
    // Not a child of the role: the machine waits for the role's policies, and this one names the machine.
    const policy = new iam.Policy(this, 'Children', {
      roles: [this.role],
      statements: [
        new iam.PolicyStatement({ actions: ['states:StartExecution'], resources: [this.arn] }),
        new iam.PolicyStatement({
          actions: ['states:DescribeExecution', 'states:StopExecution'],
          resources: [children, this.executions],
        }),
        new iam.PolicyStatement({ actions: ['states:RedriveExecution'], resources: [children] }),
      ],
    });
    for (const pattern of [children, this.executions]) {
      acknowledgeResource(
        policy,
        pattern,
        'Step Functions names the child executions of a distributed Map itself; the pattern covers executions of this workflow alone.',
      );
    }
  }
}

const runtimeActions = [
  'logs:CreateLogDelivery',
  'logs:GetLogDelivery',
  'logs:UpdateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:DescribeResourcePolicies',
  'logs:DescribeLogGroups',
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'xray:GetSamplingRules',
  'xray:GetSamplingTargets',
];

function hasDistributedMap(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([name, member]) => (name === 'Mode' && member === 'DISTRIBUTED') || hasDistributedMap(member),
  );
}
