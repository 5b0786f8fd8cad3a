import * as z from 'zod';
import { integer, type Profile, scheduleExpression } from './parts.ts';

const plain = '[A-Za-z_][A-Za-z0-9_]{0,62}';

const cleanUpSchema = z.strictObject({
  table: z
    .string()
    .regex(new RegExp(`^${plain}[.]${plain}$`), 'a table with its schema, such as public.events')
    .describe('Table with its schema, on every shard that has it. No partitioned one: name its partitions.'),
  column: z
    .string()
    .regex(new RegExp(`^${plain}$`), 'a plain column name')
    .describe(
      'Column of type timestamptz, timestamp or date that says how old a row is; best with an index.',
    ),
  olderThanDays: integer(1, 36_500).describe('Rows older than this are removed, in days.'),
  action: z
    .enum(['archive', 'delete'])
    .describe('`archive` stores the rows in the backups bucket first, as COPY text; `delete` does not.'),
  batchRows: integer(1, 100_000).default(5_000).describe('Rows that are removed in one transaction.'),
});

/** What is done for the databases each week. */
export const maintenanceSchema = (profile: Profile) =>
  z.strictObject({
    enabled: z
      .boolean()
      .default(profile === 'production')
      .describe(
        'Whether shards are looked through on schedule for what needs maintenance. It reports, unless told to act.',
      ),
    schedule: scheduleExpression
      .default('cron(30 3 ? * SUN *)')
      .describe('When, in UTC, as EventBridge reads it.'),
    act: z
      .boolean()
      .default(false)
      .describe(
        'Whether tables that need it are analysed and vacuumed, and old rows are removed; otherwise it is only said.',
      ),
    minutes: integer(1, 13)
      .default(10)
      .describe('How long it may take, in minutes. What is left over is for the next time.'),
    cleanUp: z.array(cleanUpSchema).max(12).default([]).describe('Old rows that are removed.'),
  });
export type MaintenanceConfig = z.output<ReturnType<typeof maintenanceSchema>>;
