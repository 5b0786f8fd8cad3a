import * as z from 'zod';
import { readSchedule } from '../../functions/shared/schedules/schedule-expression.ts';
import { parseTarget } from './target.ts';

const name = z.string().regex(/^[0-9a-zA-Z_.-]{1,64}$/);

export const targetSchema = z.strictObject({
  Arn: z.string().startsWith('arn:'),
  RoleArn: z.string().startsWith('arn:'),
  Input: z.string().min(1).optional(),
  RetryPolicy: z
    .strictObject({
      MaximumEventAgeInSeconds: z.int().min(60).max(86_400).default(86_400),
      MaximumRetryAttempts: z.int().min(0).max(185).default(185),
    })
    .prefault({}),
  DeadLetterConfig: z.strictObject({ Arn: z.string().startsWith('arn:').optional() }).optional(),
});

const flexibleTimeWindow = z
  .strictObject({
    Mode: z.enum(['OFF', 'FLEXIBLE']),
    MaximumWindowInMinutes: z.int().min(1).max(1440).optional(),
  })
  .refine(
    ({ Mode, MaximumWindowInMinutes }) => (Mode === 'FLEXIBLE') === (MaximumWindowInMinutes !== undefined),
    'has MaximumWindowInMinutes exactly when its Mode is FLEXIBLE',
  );

/** Members of a schedule that a caller or a template gives; `date` reads its times. */
export function scheduleFields<D extends z.ZodType<number>>(date: D) {
  return {
    Name: name,
    GroupName: name.default('default'),
    Description: z.string().max(512).default(''),
    ScheduleExpression: z.string().min(1).max(256),
    ScheduleExpressionTimezone: z.string().min(1).max(50).default('UTC'),
    StartDate: date.optional(),
    EndDate: date.optional(),
    State: z.enum(['ENABLED', 'DISABLED']).default('ENABLED'),
    FlexibleTimeWindow: flexibleTimeWindow,
    ActionAfterCompletion: z.enum(['NONE', 'DELETE']).default('NONE'),
    Target: targetSchema,
  };
}

/** A schedule as it is kept. Times are milliseconds since the epoch. */
export const scheduleSchema = z.strictObject({
  ...scheduleFields(z.number()),
  CreationDate: z.number(),
  LastModificationDate: z.number(),
  /** Of the request that made it: the same request again finds it made. */
  ClientToken: z.string().optional(),
  /** What the template said when it was last applied. */
  Template: z.string().optional(),
});
export type Schedule = z.infer<typeof scheduleSchema>;

/**
 * The next time a schedule is due, in ms, between its start and its end. Rates begin at the start, or
 * else one interval after the creation.
 *
 * @throws Error when the expression or the time zone is not valid.
 */
export function nextTime(schedule: Schedule): (after: number) => number | undefined {
  const { StartDate, EndDate, ScheduleExpression, ScheduleExpressionTimezone, CreationDate } = schedule;
  const anchor = StartDate ?? CreationDate;
  const timetable = readSchedule(ScheduleExpression, anchor, ScheduleExpressionTimezone);
  if (timetable.kind === 'at') return (after) => timetable.next(after);
  return (after) => {
    if (timetable.kind === 'rate' && StartDate !== undefined && after < StartDate) return StartDate;
    const time = timetable.next(Math.max(after, (StartDate ?? 0) - 1));
    return time === undefined || (EndDate !== undefined && time > EndDate) ? undefined : time;
  };
}

/** @throws Error that says what about a schedule is wrong, or which kind of target is not supported. */
export function checkSchedule(schedule: Schedule): void {
  nextTime(schedule);
  parseTarget(schedule.Target.Arn);
  const { StartDate, EndDate } = schedule;
  if (StartDate !== undefined && EndDate !== undefined && EndDate < StartDate) {
    throw new Error('The EndDate must not be before the StartDate.');
  }
}
