import * as z from 'zod';

/** Old rows of a table that are removed: the deployment's settings, as its functions get them. */
export const cleanUpRuleSchema = z.strictObject({
  table: z.string(),
  column: z.string(),
  olderThanDays: z.int().min(1),
  action: z.enum(['archive', 'delete']),
  batchRows: z.int().min(1),
});
export type CleanUpRule = z.output<typeof cleanUpRuleSchema>;

export const maintenanceSettingsSchema = z.strictObject({
  act: z.boolean(),
  minutes: z.int().min(1),
  cleanUp: z.array(cleanUpRuleSchema),
});
export type MaintenanceSettings = z.output<typeof maintenanceSettingsSchema>;

/** The most tables that one report tells of, those that need it most first. */
export const mostTables = 50;

const outcome = z
  .enum(['proposed', 'done', 'not-permitted', 'failed', 'left-over'])
  .describe('`proposed`: it was not to act. `left-over`: the time was up; the next run goes on.');
const reason = z
  .string()
  .max(500)
  .nullable()
  .describe('Why it was not permitted or failed, and what would help.');

export const tableTaskSchema = z.strictObject({
  schema: z.string(),
  table: z.string(),
  task: z.enum(['analyze', 'vacuum']),
  because: z.string(),
  outcome,
  reason,
});
export type TableTask = z.output<typeof tableTaskSchema>;

export const cleanUpResultSchema = z.strictObject({
  table: z.string(),
  action: z.enum(['archive', 'delete']),
  outcome,
  rows: z.int().min(0).describe('Removed by this run; of a proposal, how many of one batch are old enough.'),
  objects: z.int().min(0).describe('Objects that hold the rows, in the backups bucket.'),
  prefix: z.string().nullable().describe('What the keys of those objects begin with.'),
  reason,
});
export type CleanUpResult = z.output<typeof cleanUpResultSchema>;

/** What one run did for a shard. */
export const maintenanceReportSchema = z.strictObject({
  shard: z.string(),
  at: z.iso.datetime(),
  acted: z.boolean(),
  reason: z.string().nullable().describe('Why nothing could be done; `null`: it could.'),
  tables: z.array(tableTaskSchema).max(mostTables),
  cleanUp: z.array(cleanUpResultSchema),
});
export type MaintenanceReport = z.output<typeof maintenanceReportSchema>;

export const maintainEventSchema = z.strictObject({ traceparent: z.string().optional() });
export const maintainResultSchema = z.strictObject({ shards: z.array(maintenanceReportSchema) });
