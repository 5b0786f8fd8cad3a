import * as z from 'zod';
import { filesSelectionSchema } from '../files/restore-model.ts';
import { type BackupId, backupIdSchema, restoreIdSchema, shardNameSchema } from '../ids.ts';
import { keySources } from '../keys/key-source.ts';
import { componentSchema, failureSchema, workStateSchema } from '../model.ts';
import { leftOutSchema, restoreStageSchema, tableDifferenceSchema } from '../restore/model.ts';
import { tenantSchema } from '../tenants/model.ts';

const count = z.number().int().min(0);

/** A restore as the catalogue keeps it; its progress is merged from the notes of its parts when it is read. */
export const restoreRecordSchema = z.object({
  id: restoreIdSchema,
  /** Absent: restored to a point in time. */
  backupId: backupIdSchema.optional(),
  /** RFC 3339, in whole seconds, or `latest`. */
  pointInTime: z.string().optional(),
  state: workStateSchema,
  mode: z.enum(['new', 'replace']),
  dryRun: z.boolean(),
  /** What opens the backup. */
  keys: z.enum(keySources).default('kms'),
  shards: z.array(shardNameSchema),
  /** Qualified names of the tables whose rows are wanted; absent: all. */
  tables: z.array(z.string()).optional(),
  /** Of a platform's backup the one tenant whose rows are wanted; absent: all rows. */
  tenant: tenantSchema.optional(),
  /** Name of the new databases, where one was asked for. */
  database: z.string().optional(),
  components: z.array(componentSchema).default(['database']),
  /** Which files, where not all. */
  files: filesSelectionSchema.optional(),
  /** Run by a drill of the same id: what it has restored is never the operator's. */
  drill: z.boolean().optional(),
  requestedBy: z.string(),
  traceparent: z.string(),
  executionArn: z.string().optional(),
  attempts: z.number().int().min(1),
  createdAt: z.string(),
  /** When it was asked for the latest attempt; absent: when it was created. */
  queuedAt: z.string().optional(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  cancelRequested: z.boolean(),
  /** Set at the point of no return: from then on it is not canceled any more. */
  swappingAt: z.string().optional(),
  resumableUntil: z.string().optional(),
  safetyBackupId: backupIdSchema.optional(),
  plan: z
    .object({ objects: count, rows: count, bytes: count, storedBytes: count, estimatedMs: count })
    .optional(),
  identical: z.boolean().optional(),
  /** What was restored as objects, with the time when they are removed. */
  objects: z
    .array(z.object({ key: z.string(), sizeBytes: count, sha256: z.string(), expiresAt: z.string() }))
    .optional(),
  error: failureSchema.optional(),
});
export type RestoreRecord = z.output<typeof restoreRecordSchema>;
export type RestoreOfBackup = RestoreRecord & { readonly backupId: BackupId };

/** The record of a restore, where it is one of a backup. */
export function ofBackup(record: RestoreRecord | undefined): RestoreOfBackup | undefined {
  return record?.backupId === undefined ? undefined : { ...record, backupId: record.backupId };
}

/** What is known of a restore when it is asked for. */
export type NewRestore = Pick<
  RestoreRecord,
  | 'id'
  | 'backupId'
  | 'pointInTime'
  | 'mode'
  | 'dryRun'
  | 'shards'
  | 'tables'
  | 'database'
  | 'drill'
  | 'requestedBy'
  | 'traceparent'
  | 'createdAt'
> &
  Partial<Pick<RestoreRecord, 'keys'>> & {
    readonly [M in 'components' | 'files' | 'tenant']?: RestoreRecord[M] | undefined;
  };

/** How far one shard is. */
export const restoredShardSchema = z.object({
  shard: shardNameSchema,
  stage: restoreStageSchema,
  database: z.string(),
  /** Where the database is, for those that discard it. */
  host: z.string(),
  port: z.number().int(),
  original: z.string(),
  objectsTotal: count,
  conflicts: z.array(z.string()).default([]),
  tablesCompared: count.default(0),
  differences: z.array(tableDifferenceSchema).default([]),
  keptDatabase: z.string().optional(),
  /** Set when the database has been removed, or is the platform's now. */
  settled: z.boolean().default(false),
});
export type RestoredShard = z.output<typeof restoredShardSchema>;

/** One loaded item. */
export const loadedSchema = z.object({
  shard: shardNameSchema,
  item: count,
  objects: count,
  rows: count,
  bytes: count,
  startedAt: z.string(),
  loadedAt: z.string(),
  /** Of an import: the part of the restored object that this item is. */
  part: z.object({ uploadId: z.string(), etag: z.string() }).optional(),
});
export type Loaded = z.output<typeof loadedSchema>;

/** What one item of the comparison found. `table` is the oid that the manifest knows the table by. */
export const comparedSchema = z.object({
  shard: shardNameSchema,
  item: count,
  tables: z.array(
    z.object({
      table: z.number().int(),
      rows: count,
      digest: z.string(),
      /** Where one tenant's rows are restored; see `ComparedTable`. */
      selection: z.enum(['all', 'tenant', 'none']).optional(),
      others: count.optional(),
    }),
  ),
});
export type Compared = z.output<typeof comparedSchema>;

/** One statement that was left out. */
export const leftOutRecordSchema = z.object({ ...leftOutSchema.shape, shard: shardNameSchema });
