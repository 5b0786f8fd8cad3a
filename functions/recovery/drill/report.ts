import * as z from 'zod';
import { backupIdSchema, restoreIdSchema, shardNameSchema } from '../ids.ts';
import { restoreKeySchema } from '../keys/key-source.ts';
import { failureSchema } from '../model.ts';
import { drillIdSchema } from './ids.ts';
import { rtoStages } from './measure.ts';
import {
  drillCheckSchema,
  drillFindingSchema,
  restorePointSchema,
  reuseSchema,
  shardRpoSchema,
} from './model.ts';

const instant = z.iso.datetime();
const count = z.number().int().min(0);

/** What a drill has proven, for whoever has to show it: complete in itself, without rows of any table. */
export const drillReportSchema = z
  .strictObject({
    format: z.literal('mainstay.drill'),
    formatVersion: z.literal(1),
    drillId: drillIdSchema,
    outcome: z.enum(['completed', 'failed', 'canceled']),
    trigger: z.enum(['api', 'schedule']),
    requestedBy: z.string().nullable(),
    createdAt: instant,
    startedAt: instant.nullable(),
    finishedAt: instant,
    restorePoint: restorePointSchema,
    keys: restoreKeySchema,
    backup: z
      .strictObject({
        backupId: backupIdSchema,
        createdAt: instant,
        ageMs: count.meta({ description: 'Of the backup that was restored, when the drill began.' }),
      })
      .nullable(),
    rpo: z.strictObject({
      targetMs: count,
      measuredMs: count.nullable(),
      met: z.boolean().nullable(),
      shards: z.array(shardRpoSchema),
    }),
    rto: z.strictObject({
      targetMs: count,
      measuredMs: count.nullable(),
      met: z.boolean().nullable(),
      stages: z.array(z.strictObject({ stage: z.enum(rtoStages), durationMs: count })),
    }),
    verification: reuseSchema.nullable(),
    restore: z
      .strictObject({
        restoreId: restoreIdSchema,
        state: z.string(),
        identical: z.boolean().nullable().meta({
          description:
            'Rows and digest of every table, read again from the scratch database, are the manifest’s.',
        }),
        objects: count,
        rows: count,
        bytes: count,
        tablesCompared: count,
        database: z.string(),
        leftOut: z
          .array(z.strictObject({ shard: shardNameSchema, object: z.string(), reason: z.string() }))
          .meta({ description: 'Statements that the cluster did not take; at most 50.' }),
        leftOutTotal: count,
      })
      .nullable(),
    checks: z.array(drillCheckSchema),
    findings: z.array(drillFindingSchema),
    findingsTotal: count,
    scratchDatabases: z.enum(['removed', 'to be removed']),
    error: failureSchema.nullable(),
  })
  .meta({ title: 'Report of a drill' });
export type DrillReport = z.output<typeof drillReportSchema>;

/** Whether a measured time is within its target; nothing when it could not be measured. */
export const isMet = (measuredMs: number | null, targetMs: number): boolean | null =>
  measuredMs === null ? null : measuredMs <= targetMs;
