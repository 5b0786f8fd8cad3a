import { Duration, Stack } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import * as codedeploy from 'aws-cdk-lib/aws-codedeploy';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Shift } from '../config/deployment.ts';
import { acknowledge } from './acknowledge.ts';
import { Alarm } from './alarm.ts';
import type { BundledFunction } from './function.ts';
import type { HttpApi } from './http-api.ts';
import { aliasInterface, versionInterface } from './interfaces.ts';
import type { Notifications } from './notifications.ts';

export interface GradualDeploymentProps {
  /** Name of the environment. */
  environment: string;
  /** How calls move to new code. */
  shift: Exclude<Shift, 'all-at-once'>;
  /** Answers with a 5xx status within one minute that are too many. */
  serverErrors: number;
  api: HttpApi;
  notifications: Notifications;
}

/**
 * Moves calls of functions to new code step by step. When the code fails, or the API answers with server errors,
 * calls go back to the code before and the stack's update is rolled back.
 */
export class GradualDeployment extends Construct {
  private readonly props: GradualDeploymentProps;
  private readonly application: codedeploy.LambdaApplication;
  private readonly role: iam.Role;
  private readonly serverErrors: Alarm;

  constructor(scope: Construct, id: string, props: GradualDeploymentProps) {
    super(scope, id);
    this.props = props;
    this.application = new codedeploy.LambdaApplication(this, 'Application', {
      applicationName: `mainstay-${props.environment}`,
    });
    this.role = new iam.Role(this, 'Role', {
      description: 'CodeDeploy moves calls to new code',
      assumedBy: new iam.ServicePrincipal('codedeploy.amazonaws.com'),
    });
    acknowledge(this.role, {
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]':
        'The policy that CodeDeploy documents for this role, the narrower of its two for Lambda: it reads alarms, moves aliases, and may invoke hook functions by a name that none here has. Only CodeDeploy may assume the role.',
    });
    this.serverErrors = this.alarmOn(this, 'ServerErrors', {
      name: 'api-server-errors',
      description: 'The API answers with server errors (5xx).',
      runbook: 'api-server-errors',
      metric: props.api.api.metricServerError({ period: Duration.minutes(1), statistic: 'Sum' }),
      threshold: props.serverErrors,
    });
  }

  /**
   * The alias by which a function is called. It leads to the code that was deployed last, once calls have moved.
   *
   * @param name what the function is called in the name of its alarm.
   */
  aliasOf(name: string, fn: BundledFunction): lambda.IAlias {
    const alias = new lambda.Alias(fn, 'Alias', {
      aliasName: 'live',
      version: versionInterface(fn.function.currentVersion),
    });
    const here = Stack.of(fn) === Stack.of(this);
    const errors = this.alarmOn(here ? this : fn, `Errors-${name}`, {
      name: `api-function-errors-${name}`,
      description: `The API function of ${name} fails before it can answer.`,
      runbook: 'api-function-errors',
      metric: alias.metricErrors({ period: Duration.minutes(1) }),
      threshold: 1,
    });
    new codedeploy.LambdaDeploymentGroup(fn, 'DeploymentGroup', {
      application: this.application,
      role: this.role,
      alias,
      deploymentConfig: configs[this.props.shift],
      alarms: [errors.alarm, this.serverErrors.alarm],
      autoRollback: { failedDeployment: true, stoppedDeployment: true, deploymentInAlarm: true },
    });
    return aliasInterface(alias);
  }

  private alarmOn(
    scope: Construct,
    id: string,
    props: { name: string; description: string; runbook: string; metric: IMetric; threshold: number },
  ): Alarm {
    return new Alarm(scope, id, {
      ...props,
      notifications: this.props.notifications,
    });
  }
}

const { LambdaDeploymentConfig: config } = codedeploy;
const configs: Record<Exclude<Shift, 'all-at-once'>, codedeploy.ILambdaDeploymentConfig> = {
  'canary-10-percent-5-minutes': config.CANARY_10PERCENT_5MINUTES,
  'canary-10-percent-10-minutes': config.CANARY_10PERCENT_10MINUTES,
  'canary-10-percent-15-minutes': config.CANARY_10PERCENT_15MINUTES,
  'canary-10-percent-30-minutes': config.CANARY_10PERCENT_30MINUTES,
  'linear-10-percent-every-minute': config.LINEAR_10PERCENT_EVERY_1MINUTE,
  'linear-10-percent-every-2-minutes': config.LINEAR_10PERCENT_EVERY_2MINUTES,
  'linear-10-percent-every-3-minutes': config.LINEAR_10PERCENT_EVERY_3MINUTES,
  'linear-10-percent-every-10-minutes': config.LINEAR_10PERCENT_EVERY_10MINUTES,
};
