import * as z from 'zod';
import { pageQuery } from '../../shared/paging.ts';
import {
  arn,
  BACKUPS_BUCKET,
  ENCRYPTION_KEY_ARN,
  ESCROW_KEY_ARN,
  ESCROW_SECRET_ARN,
  EVENT_BUS_NAME,
  HMAC_KEY_ARN,
  RECOVERY_TABLE,
  SHARDS_TABLE,
} from '../environment.ts';
import { filesSelectionSchema } from '../files/restore-model.ts';
import { backupIdSchema, restoreIdSchema, shardNameSchema } from '../ids.ts';
import { restoreKeySchema } from '../keys/key-source.ts';
import { componentSchema } from '../model.ts';
import { TENANTS, tenantSchema } from '../tenants/model.ts';
import * as events from './events.ts';
import { restoreSchema } from './model.ts';
import { pointInTimeFunctions } from './point-in-time/contract.ts';

const accepted = {
  description: 'Accepted.',
  schema: restoreSchema,
  headers: { Location: 'Where to follow it.' },
};
const params = z.strictObject({ restoreId: restoreIdSchema });
const notFound = { description: 'No such restore.' };
const unique = (values: readonly string[]) => new Set(values).size === values.length;

const restoreBodySchema = z
  .strictObject({
    backupId: backupIdSchema
      .optional()
      .meta({ description: 'The backup to restore; either this or `pointInTime`.' }),
    pointInTime: z
      .union([z.literal('latest'), z.iso.datetime({ offset: true })])
      .optional()
      .meta({
        description:
          'Restores the shards’ clusters to this time, into new clusters: RFC 3339, rounded down to the second, which is what RDS works with; or `latest`.',
        examples: ['2026-11-21T02:59:59Z', 'latest'],
      }),
    cutOver: z.boolean().default(false).meta({
      description:
        'With `pointInTime`: whether the platform works with the new clusters at the end. The former ones are left as they are.',
    }),
    shards: z
      .array(shardNameSchema)
      .min(1)
      .max(100)
      .refine(unique, 'names a shard twice')
      .optional()
      .meta({ description: 'Default: all shards of the backup, or all there are.' }),
    tables: z
      .array(z.string().min(3).max(300))
      .min(1)
      .max(1_000)
      .refine(unique, 'names a table twice')
      .optional()
      .meta({
        description:
          'Qualified names of the tables whose rows are restored, quoted where SQL needs it. Default: all. The DDL of all tables is restored; foreign keys that would refer to missing rows are left out.',
        examples: [['app.users']],
      }),
    tenant: tenantSchema.optional().meta({
      description:
        'Of a platform’s backup the rows of this one tenant alone, and the tables that all share; into a new database. A tenant’s own backup is restored without it.',
    }),
    mode: z.enum(['new', 'replace']).default('new').meta({
      description:
        '`new`: into a new database beside the original. `replace`: the same, after a safety backup, and at the end the new database takes the original’s name; the original is kept under another.',
    }),
    database: z
      .string()
      .regex(
        /^[a-z][a-z0-9_]{0,62}$/,
        'starts with a lower-case letter and has at most 63 letters, digits and underscores',
      )
      .optional()
      .meta({
        description:
          'Name of the new database in each cluster. Default: made from the original’s and the restore’s id.',
      }),
    keys: restoreKeySchema,
    components: z.array(componentSchema).min(1).refine(unique, 'names a component twice').optional().meta({
      description:
        'Default: the databases; or the files alone where `files` is given. `files`: back to their keys. `configuration`: what has changed since the backup is listed, and applied by nobody.',
    }),
    files: filesSelectionSchema.optional().meta({ description: 'Which files, and where to. Default: all.' }),
    dryRun: z.boolean().default(false).meta({
      description: 'Only find out how much it is, how long it would take, and what would stop it.',
    }),
  })
  .refine(({ mode, tables }) => mode === 'new' || tables === undefined, {
    path: ['tables'],
    message: 'cannot be chosen in mode `replace`: rows of all other tables would be missing',
  })
  .meta({ title: 'What to restore' });
export type RestoreBody = z.output<typeof restoreBodySchema>;

/** The routes of restores. */
export const restoreRoutes = {
  startRestore: {
    method: 'POST',
    path: '/api/disaster-recovery/restore',
    scope: 'admin',
    once: {},
    summary: 'Restore a backup',
    description:
      'Of a backup into a new database, which is compared with the manifest at the end: rows and digest of every table. To a point in time into a new cluster of RDS.',
    body: restoreBodySchema,
    responses: {
      202: accepted,
      404: { description: 'No such backup.' },
      409: { description: 'The backup is not complete.' },
      422: {
        description:
          'The backup does not have such a shard, or cannot be restored like that: a tenant’s backup never in mode `replace`; or not exactly one of `backupId` and `pointInTime` is given.',
      },
    },
  },
  listRestores: {
    method: 'GET',
    path: '/api/disaster-recovery/restores',
    scope: 'admin',
    summary: 'List restores, newest first',
    query: z.strictObject(pageQuery),
    responses: {
      200: {
        description: 'One page.',
        schema: z
          .strictObject({ restores: z.array(restoreSchema), nextToken: z.string().nullable() })
          .meta({ title: 'Page of restores' }),
      },
    },
  },
  getRestore: {
    method: 'GET',
    path: '/api/disaster-recovery/restore/{restoreId}',
    scope: 'admin',
    summary: 'One restore, with its progress',
    params,
    responses: { 200: { description: 'The restore.', schema: restoreSchema }, 404: notFound },
  },
  cancelRestore: {
    method: 'POST',
    path: '/api/disaster-recovery/restore/{restoreId}/cancel',
    scope: 'admin',
    summary: 'Cancel a restore',
    description:
      'What it has restored is removed. Gives up a failed restore that could be resumed, too. Canceling twice is the same as once.',
    params,
    responses: {
      202: accepted,
      404: notFound,
      409: { description: 'It has ended, or databases are being swapped already.' },
    },
  },
  resumeRestore: {
    method: 'POST',
    path: '/api/disaster-recovery/restore/{restoreId}/resume',
    scope: 'admin',
    summary: 'Resume a failed restore',
    description: 'Goes on where it failed: what was loaded is not loaded again.',
    params,
    responses: {
      202: accepted,
      404: notFound,
      409: { description: 'It has not failed, or what it had restored has been removed since.' },
    },
  },
} as const;

/** The functions of restores. */
export const restoreFunctions = {
  /** Outside the VPC; checks the manifest, and leaves what the others do. `rds:DescribeDBClusters`, `rds:DescribeDBInstances`. */
  'plan-restore': {
    environment: z.object({
      RECOVERY_TABLE,
      SHARDS_TABLE,
      BACKUPS_BUCKET,
      ENCRYPTION_KEY_ARN,
      HMAC_KEY_ARN,
      ESCROW_SECRET_ARN,
      ESCROW_KEY_ARN,
      BACKUP_STATE_MACHINE_ARN: arn,
      TENANTS,
    }),
    event: events.planRestoreEventSchema,
    result: events.planRestoreResultSchema,
  },
  /** In the VPC, as `mainstay_restore`: everything about a database but its rows. */
  'restore-database': {
    environment: z.object({
      RECOVERY_TABLE,
      SHARDS_TABLE,
      BACKUPS_BUCKET,
      ENCRYPTION_KEY_ARN,
      ESCROW_KEY_ARN,
    }),
    event: events.restoreDatabaseEventSchema,
    result: events.restoreDatabaseResultSchema,
  },
  /** In the VPC, as `mainstay_restore`; loads rows, and reads them again to compare them. One CPU of its own. */
  'restore-rows': {
    environment: z.object({ RECOVERY_TABLE, BACKUPS_BUCKET, ENCRYPTION_KEY_ARN, ESCROW_KEY_ARN }),
    event: events.restoreRowsEventSchema,
    result: events.restoreRowsResultSchema,
  },
  /** Outside the VPC: whether what was restored is what was backed up, and the end of the restore. */
  'conclude-restore': {
    environment: z.object({
      RECOVERY_TABLE,
      BACKUPS_BUCKET,
      EVENT_BUS_NAME,
    }),
    event: events.concludeRestoreEventSchema,
    result: events.concludeRestoreResultSchema,
  },
  ...pointInTimeFunctions,
};
