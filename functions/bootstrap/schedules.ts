import { CreateScheduleCommand, type SchedulerClient } from '@aws-sdk/client-scheduler';
import type { ScheduleProperties } from './contract.ts';

export interface ScheduleTarget {
  readonly group: string;
  readonly stateMachineArn: string;
  /** The role that EventBridge Scheduler assumes to start the workflow. */
  readonly roleArn: string;
}

/**
 * Creates schedules of the backup workflow where none of their name exists. An existing one belongs to its users
 * and is left alone, whatever it says.
 *
 * @returns the names of schedules that were created.
 */
export async function ensureSchedules(
  client: SchedulerClient,
  target: ScheduleTarget,
  schedules: readonly ScheduleProperties[],
): Promise<string[]> {
  const created: string[] = [];
  for (const schedule of schedules) {
    if (await createSchedule(client, target, schedule)) created.push(schedule.Name);
  }
  return created;
}

async function createSchedule(
  client: SchedulerClient,
  { group, stateMachineArn, roleArn }: ScheduleTarget,
  { Name, Expression, Type }: ScheduleProperties,
): Promise<boolean> {
  try {
    await client.send(
      new CreateScheduleCommand({
        GroupName: group,
        Name,
        Description: `A ${Type} backup of every shard. Created by the deployment, yours to change.`,
        ScheduleExpression: Expression,
        ScheduleExpressionTimezone: 'UTC',
        FlexibleTimeWindow: { Mode: 'OFF' },
        State: 'ENABLED',
        Target: {
          Arn: stateMachineArn,
          RoleArn: roleArn,
          Input: JSON.stringify({ trigger: 'schedule', type: Type }),
          RetryPolicy: { MaximumRetryAttempts: 5, MaximumEventAgeInSeconds: 3_600 },
        },
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof Error && error.name === 'ConflictException') return false;
    throw error;
  }
}
