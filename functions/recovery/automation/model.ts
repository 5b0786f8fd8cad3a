import * as z from 'zod';
import { backupTypeSchema } from '../model.ts';

/** The longest that anything is kept or locked for: a hundred years, which is what S3 takes. */
export const maxDays = 36_500;

const days = z.number().int().min(1).max(maxDays);
const expression = z
  .string()
  .max(256)
  .regex(/^(cron|rate)\(.+\)$/, 'is like cron(0 2 * * ? *) or rate(6 hours)');

/** How many of the newest backups of calendar weeks (from Monday), months and years stay beyond `retentionDays`. */
export const keepSchema = z
  .strictObject({
    weekly: z.number().int().min(1).max(5_200).optional(),
    monthly: z.number().int().min(1).max(1_200).optional(),
    yearly: z.number().int().min(1).max(100).optional(),
  })
  .meta({
    title: 'What is kept longer',
    description:
      'The newest backup of each week (from Monday), month or year, in UTC, is kept for that many weeks, months or years.',
  });

/** When backups are taken, and how long they are kept. */
export const automationFields = {
  full: expression
    .default('cron(0 2 * * ? *)')
    .meta({ description: 'When a full backup starts, as EventBridge Scheduler reads it.' }),
  incremental: expression
    .nullable()
    .default('rate(6 hours)')
    .meta({ description: 'When an incremental backup starts; `null`: never by itself.' }),
  timezone: z
    .string()
    .min(1)
    .max(50)
    .default('UTC')
    .meta({ description: 'Time zone of the cron expressions.', examples: ['Europe/Berlin'] }),
  retentionDays: days
    .default(30)
    .meta({ description: 'For how long a backup is kept at least, in days from its start.' }),
  keep: keepSchema.default({}),
  lockDays: days.nullable().default(null).meta({
    description:
      'For how long Object Lock keeps each new backup from being deleted by anybody, in days; `null`: not at all beyond the deployment’s default.',
  }),
  enabled: z.boolean().default(true).meta({
    description: '`false`: the schedules stay and start nothing; backups still expire.',
  }),
};

export const automationBodySchema = z.strictObject(automationFields).meta({ title: 'Automation' });
/** The rule as it is asked for, complete. */
export type AutomationSettings = z.output<typeof automationBodySchema>;

/** The rule as the recovery table holds it. */
export const ruleSchema = z.object({
  ...automationBodySchema.shape,
  changedAt: z.string(),
  changedBy: z.string().optional(),
});
export type Rule = z.output<typeof ruleSchema>;

const scheduleSchema = z
  .strictObject({
    name: z.string(),
    type: backupTypeSchema.extract(['full', 'incremental']),
    expression: z.string(),
    timezone: z.string(),
    enabled: z.boolean(),
    nextRunAt: z.iso.datetime().nullable().meta({
      description:
        'Of a cron expression. A rate counts from a time that EventBridge Scheduler does not tell: `null`.',
    }),
  })
  .meta({ title: 'Schedule', description: 'As EventBridge Scheduler has it now.' });
export type ScheduleView = z.output<typeof scheduleSchema>;

export const automationSchema = z
  .strictObject({
    ...automationBodySchema.shape,
    changedAt: z.iso.datetime(),
    changedBy: z.string().nullable().meta({ description: 'Id of the API key; `null`: the deployment.' }),
    inForce: z.boolean().meta({
      description:
        'Whether the schedules are what the rule says. Where they are not, a change was cut short or somebody changed them elsewhere: set the rule again.',
    }),
    schedules: z.array(scheduleSchema),
  })
  .meta({ title: 'Automation as it is' });
export type Automation = z.output<typeof automationSchema>;
