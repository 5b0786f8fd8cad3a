import * as z from 'zod';
import { maintenanceReportSchema } from '../maintenance/model.ts';

/** The most of each kind that is told. */
export const mostTold = 20;

const count = z.number().min(0);
const table = { schema: z.string(), table: z.string() };
const list = <S extends z.ZodType>(item: S) => z.array(item).max(mostTold);

const statementSchema = z.strictObject({
  id: z.string().describe('As the server names it: `queryid`.'),
  text: z
    .string()
    .describe('Without a literal or a comment; of statements that set or define something, the first word.'),
  calls: count,
  totalMs: count,
  meanMs: count,
  maxMs: count,
  rows: count,
  cacheHitRatio: z.number().min(0).max(1).nullable(),
});

const unusedIndexSchema = z.strictObject({
  ...table,
  index: z.string(),
  sizeBytes: count,
  reason: z.enum(['never-scanned', 'duplicate']),
  duplicateOf: z.string().nullable(),
});

const missingIndexSchema = z.strictObject({
  ...table,
  columns: z
    .array(z.string())
    .describe('Empty where only statements tell: see those that are slow on this table.'),
  reason: z.enum(['foreign-key', 'sequential-scans']),
  detail: z.string(),
});

const tableBloatSchema = z.strictObject({
  ...table,
  sizeBytes: count,
  deadRows: count,
  deadShare: z.number().min(0).max(1).describe('Of all rows, by the server’s own count.'),
  lastVacuumAt: z.iso.datetime().nullable(),
});

const indexBloatSchema = z.strictObject({
  ...table,
  index: z.string(),
  sizeBytes: count,
  expectedBytes: count.describe('What it would take at most when made anew.'),
  valid: z
    .boolean()
    .describe(
      '`false`: left behind by a CREATE INDEX CONCURRENTLY that failed. It costs, and serves nobody.',
    ),
  proposal: z.string().describe('The statement that would mend it.'),
});

const poolSchema = z.strictObject({
  instance: z.string().nullable(),
  user: z.string(),
  application: z.string(),
  connections: count,
  active: count,
  idle: count,
  idleInTransaction: count,
  longestIdleSeconds: count,
});

export const shardInsightsSchema = z.strictObject({
  shard: z.string(),
  at: z.iso.datetime(),
  reason: z.string().nullable().describe('Why nothing is told: the writer did not answer. `null`: it did.'),
  statisticsSince: z.iso
    .datetime()
    .nullable()
    .describe('Since when is counted; `null`: since the database was made.'),
  unseenInstances: z
    .array(z.string())
    .describe('Readers that did not answer: an index that is unused elsewhere may be used there.'),
  slowStatements: list(statementSchema)
    .nullable()
    .describe(
      'Those that took longest in all, of the ones that were ever slow. `null`: `pg_stat_statements` is not there.',
    ),
  unusedIndexes: list(unusedIndexSchema),
  missingIndexes: list(missingIndexSchema),
  tableBloat: list(tableBloatSchema),
  indexBloat: list(indexBloatSchema),
  pools: list(poolSchema).describe('Who holds connections, by instance, user and application.'),
});
export type ShardInsights = z.output<typeof shardInsightsSchema>;

export const insightsReportSchema = z.strictObject({ shards: z.array(shardInsightsSchema) });

/** The answer of `GET /api/database/insights`. */
export const insightsViewSchema = z.strictObject({
  shards: z.array(
    shardInsightsSchema.extend({
      maintenance: maintenanceReportSchema
        .nullable()
        .describe('What the latest maintenance did, or would have done. `null`: there was none.'),
    }),
  ),
});

export const insightsEventSchema = z.strictObject({
  shard: z.string().optional(),
  traceparent: z.string().optional(),
});
