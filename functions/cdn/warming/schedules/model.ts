import * as z from 'zod';
import { askingFields, pathsField, popularField, tenantField } from '../model.ts';

export const scheduleIdSchema = z
  .string()
  .regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'is 26 digits and letters, a ULID')
  .brand<'ScheduleId'>()
  .meta({ title: 'Schedule id', examples: ['01K9Z9A1B2C3D4E5F6G7H8J9KM'] });
export type ScheduleId = z.output<typeof scheduleIdSchema>;

/** How many paths a schedule names at most: it is kept in one item with all else about it. */
const mostPaths = 500;
/** How many schedules there are at most. */
export const mostSchedules = 50;

const fields = {
  expression: z
    .string()
    .max(256)
    .regex(/^(cron|rate)\(.+\)$/, 'is like cron(0 6 * * ? *) or rate(1 hour)')
    .meta({ description: 'As EventBridge Scheduler reads it.' }),
  timezone: z.string().min(1).max(50).default('UTC').meta({ description: 'Of a cron expression.' }),
  enabled: z.boolean().default(true),
  paths: pathsField.max(mostPaths).optional(),
  popular: popularField
    .optional()
    .meta({ description: 'Warm so many of the most wanted paths, as they are then.' }),
  tenant: tenantField,
  ...askingFields,
};

export const scheduleBodySchema = z
  .strictObject(fields)
  .refine(({ paths, popular }) => (paths === undefined) !== (popular === undefined), {
    message: 'names either paths or popular',
  })
  .meta({ title: 'What to warm, and when' });
export type ScheduleBody = z.output<typeof scheduleBodySchema>;

/** A schedule as the table holds it. */
export const scheduleRecordSchema = z.object({
  ...fields,
  id: scheduleIdSchema,
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
});
export type ScheduleRecord = z.output<typeof scheduleRecordSchema>;

export const scheduleSchema = z
  .strictObject({
    ...fields,
    id: scheduleIdSchema,
    createdAt: z.iso.datetime(),
    createdBy: z.string(),
    nextRunAt: z.iso.datetime().nullable().meta({
      description:
        'Of a cron expression. A rate counts from a time that EventBridge Scheduler does not tell: `null`.',
    }),
  })
  .meta({ title: 'Schedule of warmings' });
