import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { cdnContract } from '../../functions/cdn/contract.ts';
import { acknowledgeResource } from '../constructs/acknowledge.ts';
import { Alarm } from '../constructs/alarm.ts';
import { capabilityMetric } from '../constructs/capability-metric.ts';
import { BundledFunction } from '../constructs/function.ts';
import { watchFunction } from '../constructs/function-alarms.ts';
import { Workflow } from '../constructs/workflow.ts';
import type { CdnProps } from './cdn.ts';
import { grantProvider } from './provider-grants.ts';
import { turnsDefinition } from './turns-workflow.ts';

/** Twenty thousand requests behind others that are as many, at a turn every few seconds while it waits. */
const longestWarming = Duration.hours(2);

/** What puts content into the cache before it is asked for: by request, after purges, by schedule. */
export class Warming extends Construct {
  readonly run: BundledFunction;
  readonly workflow: Workflow;
  private readonly groupName: string;
  private readonly group: scheduler.CfnScheduleGroup;
  private readonly scheduleRole: iam.Role;

  constructor(scope: Construct, id: string, props: CdnProps) {
    super(scope, id);
    const { settings, stateful, access, deadLetters } = props;
    const { environment, config } = settings;
    this.run = new BundledFunction(scope, 'RunWarming', {
      ...{ settings, contract: cdnContract, name: 'run-warming' },
      description: 'Puts content into the caches of the edge',
      memoryMiB: 512,
      timeout: Duration.minutes(5),
      onFailure: deadLetters,
    });
    this.workflow = new Workflow(this, 'Workflow', {
      ...{ environment, config, name: 'warming', functions: [this.run] },
      definition: turnsDefinition(
        this.run,
        {
          id: 'execution',
          comment: 'Warms the edge. The execution’s name is the warming’s id, or a schedule’s.',
        },
        longestWarming,
      ),
    });
    stateful.tables.cdn.grant(this.run, ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query']);
    // Schedules may warm what is popular.
    stateful.buckets.edgeLogs.grantReadTraffic(this.run);
    grantProvider(this.run, config, props.distribution, 'find');
    this.run.addEnvironment('REQUESTS_PER_SECOND', String(config.cdn.warming.requestsPerSecond));
    props.events.grantPut(this.run);
    access.grantAppend(this.run);

    this.groupName = `mainstay-${environment}-cdn`;
    this.group = new scheduler.CfnScheduleGroup(this, 'Group', { name: this.groupName });
    this.scheduleRole = new iam.Role(this, 'ScheduleRole', {
      description: 'Starts warmings by schedule',
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    this.scheduleRole.addToPolicy(
      new iam.PolicyStatement({ actions: ['states:StartExecution'], resources: [this.workflow.arn] }),
    );
    new events.Rule(this, 'EndedBadly', {
      description: 'A warming failed, timed out or was stopped',
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: { status: ['FAILED', 'TIMED_OUT', 'ABORTED'], stateMachineArn: [this.workflow.arn] },
      },
      targets: [new LambdaFunction(this.run.function, deadLetters.delivery)],
    });
    this.addAlarms(props);
  }

  /** Lets a function start warmings; tells it how. */
  grantStart(fn: BundledFunction): void {
    fn.allow(['states:StartExecution'], [this.workflow.arn]);
    fn.addEnvironment('WARMING_STATE_MACHINE_ARN', this.workflow.arn);
  }

  /** Lets a function that starts warmings make and remove their schedules; tells it group and role. */
  grantSchedules(fn: BundledFunction): void {
    const schedules = Stack.of(this).formatArn({
      service: 'scheduler',
      resource: 'schedule',
      resourceName: `${this.groupName}/warming-*`,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
    fn.allow(['scheduler:CreateSchedule', 'scheduler:DeleteSchedule'], [schedules]);
    acknowledgeResource(
      fn.policies,
      schedules,
      'Users make schedules, whose names are known then; the pattern covers those of warmings in this environment’s own group.',
    );
    fn.allowPassRole(this.scheduleRole, 'scheduler.amazonaws.com');
    fn.addEnvironment('SCHEDULE_GROUP', this.group.ref);
    fn.addEnvironment('SCHEDULE_ROLE_ARN', this.scheduleRole.roleArn);
  }

  private addAlarms({ settings, notifications }: CdnProps): void {
    new Alarm(this, 'Failed', {
      name: 'warming-failed',
      description: 'A warming has put nothing into the cache.',
      runbook: 'warming-failed',
      notifications,
      metric: capabilityMetric(settings.environment, 'cdn', 'WarmingsFailed', Duration.minutes(5)),
    });
    watchFunction(this.run, { name: 'run-warming', thresholds: settings.config.alarms, notifications });
  }
}
