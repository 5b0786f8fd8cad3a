import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { askedKey } from '../../functions/metrics/cloud/asked-key.ts';
import { metricsContract } from '../../functions/metrics/contract.ts';
import type { Access } from '../access/access.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { Alarm } from '../constructs/alarm.ts';
import { capabilityMetric } from '../constructs/capability-metric.ts';
import type { Delivery } from '../constructs/dead-letters.ts';
import { BundledFunction, type FunctionSettings } from '../constructs/function.ts';
import { watchFunction } from '../constructs/function-alarms.ts';
import type { HttpApi } from '../constructs/http-api.ts';
import type { Notifications } from '../constructs/notifications.ts';
import type { Workflow } from '../constructs/workflow.ts';
import type { StatefulStack } from '../stateful-stack.ts';
import { version } from '../version.ts';
import { addCloudReader } from './cloud-reader.ts';
import { Observer } from './observer.ts';
import { addRequestAlarms } from './request-alarms.ts';

export interface MetricsProps {
  settings: FunctionSettings;
  stateful: StatefulStack;
  api: HttpApi;
  access: Access;
  deadLetters: Delivery;
  notifications: Notifications;
  /** All workflows of the deployment. */
  workflows: readonly Workflow[];
}

/** How much is asked, what fails, how slow it is, and which alarms are raised. */
export class Metrics extends Construct {
  readonly apiFunction: BundledFunction;
  readonly ingestFunction: BundledFunction;
  readonly countFunction: BundledFunction;
  /** Hears of every invocation. */
  readonly observer: Observer;

  constructor(scope: Construct, id: string, props: MetricsProps) {
    super(scope, id);
    this.apiFunction = this.addApi(props);
    this.ingestFunction = this.addIngest(props);
    this.countFunction = this.addCounting(props);
    addCloudReader(this, props);
    this.observer = new Observer(this, 'Observer', props);
    addRequestAlarms(this, { ...props, config: props.settings.config.monitoring });
    this.addOwnAlarms(props);
  }

  private addApi({ settings, stateful, api, access }: MetricsProps): BundledFunction {
    const { environment } = settings;
    const fn = new BundledFunction(this, 'Api', {
      settings,
      contract: metricsContract,
      name: 'api',
      description: 'Serves metrics and alarms',
      memoryMiB: 512,
      timeout: Duration.seconds(28),
    });
    fn.addEnvironment('ALARM_PREFIX', `mainstay-${environment}-`);
    fn.addEnvironment('MAINSTAY_ENVIRONMENT', environment);
    fn.addEnvironment('MAINSTAY_VERSION', version);
    access.grantGate(fn);
    stateful.tables.monitoring.grant(fn, ['dynamodb:GetItem', 'dynamodb:Query']);
    stateful.tables.monitoring.grantItems(fn, ['dynamodb:PutItem'], [askedKey]);
    fn.allow(['cloudwatch:DescribeAlarms', 'cloudwatch:DescribeAlarmHistory'], ['*']);
    const reason =
      'CloudWatch tells of composite alarms only whoever may describe all alarms, and of the history of all alarms in one call.';
    acknowledge(fn.policies, {
      'AwsSolutions-IAM5[Resource::*]': reason,
      'Serverless-LambdaStarPermissions': reason,
    });
    api.addRoutes(metricsContract, fn);
    return fn;
  }

  private addIngest({ settings, stateful, api, access }: MetricsProps): BundledFunction {
    const fn = new BundledFunction(this, 'Ingest', {
      settings,
      contract: metricsContract,
      name: 'ingest',
      description: 'Takes metrics by OTLP',
      memoryMiB: 512,
      timeout: Duration.seconds(28),
    });
    access.grantGate(fn);
    stateful.tables.monitoring.grant(fn, ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:PutItem']);
    api.addRoutes(metricsContract, fn);
    return fn;
  }

  private addCounting({ settings, stateful, deadLetters, notifications }: MetricsProps): BundledFunction {
    const fn = new BundledFunction(this, 'Count', {
      settings,
      contract: metricsContract,
      name: 'count',
      description: 'Adds up what functions told of their invocations',
      memoryMiB: 512,
      timeout: Duration.seconds(55),
      onFailure: deadLetters,
    });
    stateful.tables.monitoring.grant(fn, [
      'dynamodb:GetItem',
      'dynamodb:Query',
      'dynamodb:PutItem',
      'dynamodb:DeleteItem',
    ]);
    new events.Rule(this, 'CountSchedule', {
      description: 'Adds up what functions told of their invocations',
      schedule: events.Schedule.rate(Duration.minutes(1)),
      targets: [
        new LambdaFunction(fn.function, {
          event: events.RuleTargetInput.fromObject({}),
          ...deadLetters.delivery,
        }),
      ],
    });
    watchFunction(fn, { name: 'count-metrics', thresholds: settings.config.alarms, notifications });
    return fn;
  }

  private addOwnAlarms({ settings, notifications }: MetricsProps): void {
    const { environment, config } = settings;
    const metric = (name: string, statistic?: string) =>
      capabilityMetric(environment, 'metrics', name, Duration.minutes(5), statistic);
    new Alarm(this, 'NewErrorPattern', {
      name: 'new-error-pattern',
      description: 'Functions fail in a way that they have not failed before.',
      runbook: 'new-error-pattern',
      notifications,
      metric: metric('NewErrorPatterns'),
    });
    new Alarm(this, 'FunctionMemory', {
      name: 'function-memory',
      description: `A function used more than ${config.monitoring.memoryPercent} % of its memory.`,
      runbook: 'function-memory',
      notifications,
      metric: metric('PeakMemoryPercent', cloudwatch.Stats.MAXIMUM),
      threshold: config.monitoring.memoryPercent,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
    });
  }
}
