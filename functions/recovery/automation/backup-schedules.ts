import {
  ConflictException,
  CreateScheduleCommand,
  type CreateScheduleCommandInput,
  DeleteScheduleCommand,
  GetScheduleCommand,
  ResourceNotFoundException,
  type SchedulerClient,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import { onDependency } from '../../shared/dependency.ts';
import type { BackupInput } from '../workflow.ts';
import { type ScheduledType, scheduleNames } from './names.ts';

export interface ScheduleTarget {
  readonly group: string;
  readonly stateMachineArn: string;
  /** The role that EventBridge Scheduler assumes to start the workflow. */
  readonly roleArn: string;
}

/** What can be said of a schedule of backups. */
export interface ScheduleSettings {
  readonly expression: string;
  readonly timezone: string;
  readonly enabled: boolean;
}

/** The schedules that start backups, in EventBridge Scheduler. They belong to their users, not to the deployment. */
export class BackupSchedules {
  readonly #client: SchedulerClient;
  readonly #target: ScheduleTarget;

  constructor(client: SchedulerClient, target: ScheduleTarget) {
    this.#client = client;
    this.#target = target;
  }

  /** @throws DependencyError */
  async get(type: ScheduledType): Promise<ScheduleSettings | undefined> {
    return onDependency('Scheduler', `GetSchedule ${scheduleNames[type]}`, () =>
      unlessMissing(async () => {
        const { ScheduleExpression, ScheduleExpressionTimezone, State } = await this.#client.send(
          new GetScheduleCommand(this.#name(type)),
        );
        return {
          expression: ScheduleExpression ?? '',
          timezone: ScheduleExpressionTimezone ?? 'UTC',
          enabled: State === 'ENABLED',
        };
      }),
    );
  }

  /** Makes a schedule, or changes the one there is. @throws DependencyError */
  async put(type: ScheduledType, settings: ScheduleSettings): Promise<void> {
    await onDependency('Scheduler', `UpdateSchedule ${scheduleNames[type]}`, async () => {
      const input = this.#describe(type, settings);
      const updated = await unlessMissing(() => this.#client.send(new UpdateScheduleCommand(input)));
      if (updated !== undefined || (await this.#create(input))) return;
      // Somebody else has just made it.
      await this.#client.send(new UpdateScheduleCommand(input));
    });
  }

  /** Makes a schedule where there is none of its name; `false` where there is. @throws DependencyError */
  async create(type: ScheduledType, settings: ScheduleSettings): Promise<boolean> {
    return onDependency('Scheduler', `CreateSchedule ${scheduleNames[type]}`, () =>
      this.#create(this.#describe(type, settings)),
    );
  }

  /** Removes a schedule; one that is not there is fine. @throws DependencyError */
  async remove(type: ScheduledType): Promise<void> {
    await onDependency('Scheduler', `DeleteSchedule ${scheduleNames[type]}`, () =>
      unlessMissing(() => this.#client.send(new DeleteScheduleCommand(this.#name(type)))),
    );
  }

  async #create(input: CreateScheduleCommandInput): Promise<boolean> {
    try {
      await this.#client.send(new CreateScheduleCommand(input));
      return true;
    } catch (error) {
      if (error instanceof ConflictException) return false;
      throw error;
    }
  }

  #name(type: ScheduledType): { GroupName: string; Name: string } {
    return { GroupName: this.#target.group, Name: scheduleNames[type] };
  }

  #describe(
    type: ScheduledType,
    { expression, timezone, enabled }: ScheduleSettings,
  ): CreateScheduleCommandInput {
    const input: Pick<BackupInput, 'trigger'> & { type: ScheduledType } = { trigger: 'schedule', type };
    return {
      ...this.#name(type),
      Description: `Starts ${type} backups of every shard. Change it by POST /api/disaster-recovery/automate.`,
      ScheduleExpression: expression,
      ScheduleExpressionTimezone: timezone,
      FlexibleTimeWindow: { Mode: 'OFF' },
      State: enabled ? 'ENABLED' : 'DISABLED',
      Target: {
        Arn: this.#target.stateMachineArn,
        RoleArn: this.#target.roleArn,
        Input: JSON.stringify(input),
        RetryPolicy: { MaximumRetryAttempts: 5, MaximumEventAgeInSeconds: 3_600 },
      },
    };
  }
}

async function unlessMissing<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}
