import {
  ConflictException,
  CreateScheduleCommand,
  DeleteScheduleCommand,
  ResourceNotFoundException,
  type SchedulerClient,
} from '@aws-sdk/client-scheduler';
import { onDependency } from '../../../shared/dependency.ts';
import type { ScheduleId, ScheduleRecord } from './model.ts';

export interface ScheduleTarget {
  readonly group: string;
  readonly stateMachineArn: string;
  /** The role that EventBridge Scheduler assumes to start the workflow. */
  readonly roleArn: string;
}

/** Names of the schedules in the group of the CDN. */
export const scheduleName = (id: ScheduleId | '*'): string => `warming-${id}`;

/** The schedules that start warmings, in EventBridge Scheduler. They belong to their users, not to the deployment. */
export class WarmingSchedules {
  readonly #client: SchedulerClient;
  readonly #target: ScheduleTarget;

  constructor(client: SchedulerClient, target: ScheduleTarget) {
    this.#client = client;
    this.#target = target;
  }

  /** Makes a schedule; one that is there already is the same: what it does never changes. @throws DependencyError */
  async create({ id, expression, timezone, enabled }: ScheduleRecord): Promise<void> {
    const { group, stateMachineArn, roleArn } = this.#target;
    await onDependency('Scheduler', 'CreateSchedule', async () => {
      try {
        await this.#client.send(
          new CreateScheduleCommand({
            GroupName: group,
            Name: scheduleName(id),
            Description: 'Warms the edge. Remove it by DELETE /api/cdn/warming/schedules.',
            ScheduleExpression: expression,
            ScheduleExpressionTimezone: timezone,
            FlexibleTimeWindow: { Mode: 'OFF' },
            State: enabled ? 'ENABLED' : 'DISABLED',
            Target: {
              Arn: stateMachineArn,
              RoleArn: roleArn,
              Input: JSON.stringify({ scheduleId: id }),
              RetryPolicy: { MaximumRetryAttempts: 5, MaximumEventAgeInSeconds: 3_600 },
            },
          }),
        );
      } catch (error) {
        if (!(error instanceof ConflictException)) throw error;
      }
    });
  }

  /** Removes a schedule; one that is not there is fine. @throws DependencyError */
  async remove(id: ScheduleId): Promise<void> {
    await onDependency('Scheduler', 'DeleteSchedule', async () => {
      try {
        await this.#client.send(
          new DeleteScheduleCommand({ GroupName: this.#target.group, Name: scheduleName(id) }),
        );
      } catch (error) {
        if (!(error instanceof ResourceNotFoundException)) throw error;
      }
    });
  }
}
