import * as z from 'zod';
import { configurationRestoreSchema, filesRestoreSchema } from '../files/restore-model.ts';
import { backupIdSchema, restoreIdSchema, shardNameSchema } from '../ids.ts';
import { keySourceSchema } from '../keys/key-source.ts';
import { componentSchema, failureSchema, workStateSchema } from '../model.ts';
import { tenantSchema } from '../tenants/model.ts';

const instant = z.iso.datetime();
const count = z.number().int().min(0);

export const restoreStageSchema = z
  .enum([
    'planning',
    'safety-backup',
    'schema',
    'rows',
    'indexes',
    'comparison',
    'cluster',
    'check',
    'swap',
    'done',
  ])
  .meta({
    title: 'Stage of a restore',
    description: 'How far the work has come; of several shards, the one furthest behind.',
  });
export type RestoreStage = z.output<typeof restoreStageSchema>;

/** What is not as it was, though every row is: a statement that this cluster did not take. */
export const leftOutSchema = z
  .strictObject({
    object: z
      .string()
      .meta({ description: 'What the statement is about.', examples: ['EVENT TRIGGER audit'] }),
    reason: z.string().meta({ description: 'What PostgreSQL said.' }),
    statement: z
      .string()
      .max(2_000)
      .meta({ description: 'The SQL to run by hand, cut at 2 000 characters.' }),
  })
  .meta({ title: 'Left out' });
export type LeftOut = z.output<typeof leftOutSchema>;

export const tableDifferenceSchema = z
  .strictObject({
    table: z.string().meta({ description: 'Qualified name.' }),
    expectedRows: count,
    rows: count,
    sameDigest: z.boolean().meta({ description: 'Whether the digest of all rows is that of the manifest.' }),
  })
  .meta({ title: 'Difference of a table' });
export type TableDifference = z.output<typeof tableDifferenceSchema>;

export const shardRestoreSchema = z
  .strictObject({
    shard: shardNameSchema,
    stage: restoreStageSchema,
    database: z.string().meta({ description: 'The database that is restored into.' }),
    keptDatabase: z
      .string()
      .nullable()
      .meta({ description: 'Mode `replace`: what the database before it is called since the swap.' }),
    objectsDone: count,
    objectsTotal: count.nullable(),
    rows: count.meta({ description: 'Rows loaded.' }),
    bytesRestored: count.meta({ description: 'Bytes of COPY text loaded.' }),
    tablesCompared: count,
    differences: z.array(tableDifferenceSchema).meta({ description: 'At most 100 are listed.' }),
    leftOut: z.array(leftOutSchema).meta({ description: 'At most 1 000 are listed.' }),
  })
  .meta({ title: 'Restore of a shard' });
export type ShardRestore = z.output<typeof shardRestoreSchema>;

export const restorePlanSchema = z
  .strictObject({
    objects: count,
    rows: count,
    bytes: count.meta({ description: 'Bytes of COPY text to load.' }),
    storedBytes: count.meta({ description: 'Bytes to read from the store.' }),
    estimatedMs: count.meta({
      description: 'By the rate of the latest completed restore, or 40 MB/s where there is none.',
    }),
    conflicts: z
      .array(z.strictObject({ shard: shardNameSchema, problem: z.string() }))
      .meta({ description: 'What would stop the restore: found by looking at the target only.' }),
  })
  .meta({ title: 'Plan of a restore' });
export type RestorePlan = z.output<typeof restorePlanSchema>;

export const restoredObjectSchema = z
  .strictObject({
    objectKey: z.string().meta({ description: 'Key in the backups bucket, which encrypts what it keeps.' }),
    sizeBytes: count,
    sha256: z.string(),
    expiresAt: instant.meta({ description: 'When it is removed; restore again to have it again.' }),
  })
  .meta({ title: 'Restored object' });

export const restoredClusterViewSchema = z
  .strictObject({
    shard: shardNameSchema,
    stage: restoreStageSchema,
    clusterIdentifier: z.string().meta({ description: 'The new cluster.' }),
    resourceId: z.string().nullable().meta({ description: 'Known once it is available, as is the writer.' }),
    writer: z.strictObject({ host: z.string(), port: z.number().int() }).nullable(),
    relations: count
      .nullable()
      .meta({ description: 'Tables and the like that its database was seen to have.' }),
    source: z.strictObject({
      clusterIdentifier: z.string(),
      resourceId: z.string(),
      writer: z.strictObject({ host: z.string(), port: z.number().int() }),
      earliestRestorableTime: instant,
      latestRestorableTime: instant,
    }),
    cutOverAt: instant
      .nullable()
      .meta({ description: 'When the platform began to work with it; the source is left as it was.' }),
  })
  .meta({ title: 'Restored cluster' });

export const restoreSchema = z
  .strictObject({
    id: restoreIdSchema,
    kind: z.enum(['backup', 'point-in-time']),
    backupId: backupIdSchema.nullable(),
    pointInTime: z.string().nullable().meta({ description: 'RFC 3339, or `latest`.' }),
    state: workStateSchema,
    mode: z.enum(['new', 'replace']),
    keys: keySourceSchema,
    dryRun: z.boolean(),
    shards: z.array(shardNameSchema),
    tables: z
      .array(z.string())
      .nullable()
      .meta({ description: 'Tables whose rows are restored; null: all.' }),
    tenant: tenantSchema.nullable().meta({
      description: 'The one tenant whose rows are restored out of a platform’s backup; null: all rows.',
    }),
    requestedBy: z.string(),
    createdAt: instant,
    startedAt: instant.nullable(),
    finishedAt: instant.nullable(),
    durationMs: count.nullable(),
    cancelRequested: z.boolean(),
    attempts: z
      .number()
      .int()
      .min(1)
      .meta({ description: 'How often it was started: 1, and once for each resumption.' }),
    resumableUntil: instant.nullable().meta({
      description: 'Of a failed restore: until then what it has restored is kept, and it can be resumed.',
    }),
    safetyBackupId: backupIdSchema
      .nullable()
      .meta({ description: 'Mode `replace`: the backup of what is replaced.' }),
    progress: z.strictObject({
      stage: restoreStageSchema,
      objectsDone: count,
      objectsTotal: count.nullable(),
      bytesRestored: count,
      bytesTotal: count.nullable(),
      bytesPerSecond: z.number().min(0),
      etaMs: count.nullable(),
    }),
    plan: restorePlanSchema.nullable().meta({ description: 'Known once it is planned.' }),
    identical: z.boolean().nullable().meta({
      description:
        'Whether rows and digest of every restored table are those of the manifest; known at the end. Of one tenant’s rows by key there is nothing to compare with: `null`.',
    }),
    objects: z.array(restoredObjectSchema).meta({
      description: 'What was restored as objects of the backups bucket: the dump of an import.',
    }),
    shardDetails: z.array(shardRestoreSchema),
    components: z.array(componentSchema),
    files: filesRestoreSchema.nullable(),
    configuration: configurationRestoreSchema.nullable(),
    clusters: z
      .array(restoredClusterViewSchema)
      .meta({ description: 'Of a restore to a point in time: a new cluster for each shard.' }),
    error: failureSchema.nullable(),
  })
  .meta({ title: 'Restore' });
export type Restore = z.output<typeof restoreSchema>;
