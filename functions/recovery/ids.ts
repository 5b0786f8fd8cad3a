import * as z from 'zod';

/** Names a backup: the name of its Step Functions execution. A ULID when the API started it, a UUID when a schedule did. */
export const backupIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,80}$/, 'has 1 to 80 letters, digits and hyphens')
  .brand<'BackupId'>()
  .meta({ title: 'Backup id', examples: ['01K9Z3V5Q0J8X7N2T4R6M1C9HB'] });
export type BackupId = z.output<typeof backupIdSchema>;

/** Names a long-running check of a stored backup: the name of its Step Functions execution. */
export const operationIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,80}$/, 'has 1 to 80 letters, digits and hyphens')
  .brand<'OperationId'>()
  .meta({ title: 'Operation id', examples: ['01K9Z4A1S5F3D7G9H2J4K6L8MN'] });
export type OperationId = z.output<typeof operationIdSchema>;

/** Names a restore: the name of its first Step Functions execution; those that resume it append `-2`, `-3` and so on. */
export const restoreIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9]{1,40}$/, 'has 1 to 40 letters and digits')
  .brand<'RestoreId'>()
  .meta({ title: 'Restore id', examples: ['01K9Z5C3W7F1B9D4H6J8M2N5PQ'] });
export type RestoreId = z.output<typeof restoreIdSchema>;

/** Names a shard, as the deployment's configuration does. */
export const shardNameSchema = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,30}$/,
    'starts with a lower-case letter and has at most 31 letters, digits and hyphens',
  )
  .brand<'ShardName'>()
  .meta({ title: 'Shard', examples: ['shard-a'] });
export type ShardName = z.output<typeof shardNameSchema>;

/** What `pg_export_snapshot` returned. */
export const snapshotIdSchema = z
  .string()
  .regex(/^[0-9A-F]+-[0-9A-F]+-[0-9]+$/)
  .brand<'SnapshotId'>();
export type SnapshotId = z.output<typeof snapshotIdSchema>;
