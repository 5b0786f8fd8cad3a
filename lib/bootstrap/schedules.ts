import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import { scheduleNames } from '../../functions/recovery/automation/names.ts';
import type { BundledFunction } from '../constructs/function.ts';
import type { Workflow } from '../constructs/workflow.ts';

export interface SchedulesProps {
  /** Name of the environment. */
  environment: string;
  /** The workflow that schedules start. */
  backups: Workflow;
}

/** The group that schedules live in, and the role they run with. The schedules themselves belong to their users. */
export class Schedules extends Construct {
  private readonly group: scheduler.CfnScheduleGroup;
  private readonly groupName: string;
  private readonly role: iam.Role;
  private readonly backups: Workflow;

  constructor(scope: Construct, id: string, { environment, backups }: SchedulesProps) {
    super(scope, id);
    this.backups = backups;
    this.groupName = `mainstay-${environment}`;
    this.group = new scheduler.CfnScheduleGroup(this, 'Group', { name: this.groupName });
    this.role = new iam.Role(this, 'Role', {
      description: 'Starts backups by schedule',
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
    });
    this.role.addToPolicy(
      new iam.PolicyStatement({ actions: ['states:StartExecution'], resources: [backups.arn] }),
    );
  }

  /** Lets a function create schedules that start backups; tells it group, role and workflow. */
  grantSeed(fn: BundledFunction): void {
    this.grant(fn, ['scheduler:CreateSchedule']);
    fn.addEnvironment('BACKUP_STATE_MACHINE_ARN', this.backups.arn);
  }

  /** Lets a function that starts backups read, create, change and remove their schedules; tells it group and role. */
  grantManage(fn: BundledFunction): void {
    this.grant(fn, [
      'scheduler:CreateSchedule',
      'scheduler:GetSchedule',
      'scheduler:UpdateSchedule',
      'scheduler:DeleteSchedule',
    ]);
  }

  private grant(fn: BundledFunction, actions: readonly string[]): void {
    const schedules = Object.values(scheduleNames).map((name) =>
      Stack.of(this).formatArn({
        service: 'scheduler',
        resource: 'schedule',
        resourceName: `${this.groupName}/${name}`,
        arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
      }),
    );
    fn.allow(actions, schedules);
    fn.allowPassRole(this.role, 'scheduler.amazonaws.com');
    fn.addEnvironment('SCHEDULE_GROUP', this.group.ref);
    fn.addEnvironment('SCHEDULE_ROLE_ARN', this.role.roleArn);
  }
}
