import * as z from 'zod';
import { backupIdSchema, operationIdSchema, shardNameSchema } from '../ids.ts';
import {
  backupStateSchema,
  backupTypeSchema,
  componentSchema,
  failureSchema,
  progressSchema,
  shardBackupSchema,
  workStateSchema,
} from '../model.ts';

/** A backup as the catalogue keeps it; live progress is merged from its chunks when it is read. */
export const backupRecordSchema = z.object({
  id: backupIdSchema,
  state: backupStateSchema,
  type: backupTypeSchema,
  components: z.array(componentSchema).default(['database']),
  /** By shard, the backup whose unchanged objects are referred to. */
  parents: z.record(z.string(), backupIdSchema).optional(),
  /** Backups whose objects this one refers to: its parents, and those that these refer to. */
  references: z.array(backupIdSchema).default([]),
  /** Backups that refer to objects of this one, from before they begin until their objects are gone. */
  dependents: z
    .set(backupIdSchema)
    .optional()
    .transform((ids) => [...(ids ?? [])].sort()),
  keepUntil: z.string().optional(),
  lockedUntil: z.string().optional(),
  trigger: z.enum(['api', 'schedule', 'restore']),
  requestedBy: z.string().optional(),
  traceparent: z.string(),
  executionArn: z.string().optional(),
  shards: z.array(shardNameSchema),
  createdAt: z.string(),
  startedAt: z.string().optional(),
  /** Set at the point of no return: from then on it is not canceled any more. */
  committingAt: z.string().optional(),
  finishedAt: z.string().optional(),
  cancelRequested: z.boolean().default(false),
  error: failureSchema.optional(),
  /** What the progress was when the backup ended. */
  progress: progressSchema.optional(),
  shardDetails: z.array(shardBackupSchema).optional(),
  sizeBytes: z.number().optional(),
  rows: z.number().optional(),
  skewMs: z.number().optional(),
  manifest: z.object({ key: z.string(), versionId: z.string().nullable(), sha256: z.string() }).optional(),
  verification: z
    .object({ operationId: operationIdSchema, state: workStateSchema, at: z.string(), findings: z.number() })
    .optional(),
});
export type BackupRecord = z.output<typeof backupRecordSchema>;

/** What is known of a backup when it is asked for. */
export type NewBackup = Pick<
  BackupRecord,
  'id' | 'type' | 'trigger' | 'requestedBy' | 'traceparent' | 'shards' | 'createdAt' | 'executionArn'
>;

/** What a backup's end leaves behind for its readers. */
export type BackupOutcome = Required<Pick<BackupRecord, 'progress' | 'shardDetails' | 'sizeBytes' | 'rows'>>;
