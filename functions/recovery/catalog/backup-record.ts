import * as z from 'zod';
import { backupIdSchema, operationIdSchema, shardNameSchema } from '../ids.ts';
import { importRecordSchema } from '../import/model.ts';
import {
  backupStateSchema,
  backupTypeSchema,
  componentSchema,
  configurationBackupSchema,
  failureSchema,
  filesBackupSchema,
  leavesOutSchema,
  progressSchema,
  shardBackupSchema,
  workStateSchema,
} from '../model.ts';
import { tenantSchema, tenantSelectionSchema } from '../tenants/model.ts';

/** In place of an operation's id: none re-encrypts the backup any more. */
export const notReencrypting = 'none';

/** A backup as the catalogue keeps it; live progress is merged from its chunks when it is read. */
export const backupRecordSchema = z.object({
  id: backupIdSchema,
  state: backupStateSchema,
  type: backupTypeSchema,
  components: z.array(componentSchema).default(['database']),
  /** By shard, the backup whose unchanged objects are referred to. */
  parents: z.record(z.string(), backupIdSchema).optional(),
  /** The backup whose unchanged files are referred to. */
  filesParent: backupIdSchema.optional(),
  /** Backups whose objects this one refers to: its parents, and those that these refer to. */
  references: z.array(backupIdSchema).default([]),
  /** Backups that refer to objects of this one, from before they begin until their objects are gone. */
  dependents: z
    .set(backupIdSchema)
    .optional()
    .transform((ids) => [...(ids ?? [])].sort()),
  /** Who decided how long it is kept: the rule, or whoever asked for it. Settled before it is completed. */
  keptBy: z.enum(['rule', 'request']).optional(),
  /** It does not expire before; absent: without an end when `keptBy` is `request`. */
  keepUntil: z.string().optional(),
  lockedUntil: z.string().optional(),
  /** For how long it is to be kept, in days; `null`: until it is deleted. Absent: as the rule says. */
  keepDays: z.number().nullable().optional(),
  /** For how long it is to be locked, in days. Absent: as the rule says. */
  lockDays: z.number().optional(),
  trigger: z.enum(['api', 'schedule', 'restore']),
  requestedBy: z.string().optional(),
  traceparent: z.string(),
  executionArn: z.string().optional(),
  shards: z.array(shardNameSchema),
  /** The one tenant that it is of; absent: the whole platform. */
  tenant: tenantSchema.optional(),
  /** What says which rows are the tenant's; settled when it is planned. */
  selection: tenantSelectionSchema.optional(),
  /** Of a tenant's backup: what a restore leaves out. */
  leavesOut: z.array(leavesOutSchema).optional(),
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
  files: filesBackupSchema.nullable().optional(),
  configuration: configurationBackupSchema.nullable().optional(),
  sizeBytes: z.number().optional(),
  /** Of objects of earlier backups that this one refers to. */
  referencedBytes: z.number().optional(),
  rows: z.number().optional(),
  skewMs: z.number().optional(),
  manifest: z.object({ key: z.string(), versionId: z.string().nullable(), sha256: z.string() }).optional(),
  /** The operation that re-encrypts it, until what that leaves is settled; `notReencrypting` from then on. */
  reencrypting: z.string().optional(),
  /** The operation that wrote the manifest; absent: the backup itself did. */
  reencryptedBy: operationIdSchema.optional(),
  /** Of a backup that another deployment has taken: what it is in the vault that it is adopted from. */
  adopted: z
    .object({ backupId: backupIdSchema, versionId: z.string().nullable(), sha256: z.string() })
    .optional(),
  /** Of an import. */
  import: importRecordSchema.optional(),
  verification: z
    .object({ operationId: operationIdSchema, state: workStateSchema, at: z.string(), findings: z.number() })
    .optional(),
});
export type BackupRecord = z.output<typeof backupRecordSchema>;

/** What is known of a backup when it is asked for. */
export type NewBackup = Pick<
  BackupRecord,
  'id' | 'type' | 'trigger' | 'requestedBy' | 'traceparent' | 'shards' | 'createdAt' | 'executionArn'
> &
  Partial<
    Pick<
      BackupRecord,
      'components' | 'tenant' | 'keepUntil' | 'keepDays' | 'lockDays' | 'import' | 'adopted' | 'keptBy'
    >
  >;

/** What a backup's end leaves behind for its readers. */
export type BackupOutcome = Required<Pick<BackupRecord, 'progress' | 'shardDetails' | 'sizeBytes' | 'rows'>> &
  Pick<BackupRecord, 'referencedBytes' | 'files' | 'configuration' | 'leavesOut'>;
