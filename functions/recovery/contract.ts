import * as z from 'zod';
import { gateEnvironment } from '../access/environment.ts';
import { defineContract } from '../shared/contract.ts';
import { pageQuery } from '../shared/paging.ts';
import { adoptionRoutes } from './adoption/contract.ts';
import { automationRoutes } from './automation/contract.ts';
import { configurationFunctions } from './configuration/contract.ts';
import { drillFunctions, drillRoutes } from './drill/contract.ts';
import {
  ADOPT_BUCKET,
  arn,
  BACKUPS_BUCKET,
  ENCRYPTION_KEY_ARN,
  ESCROW_KEY_ARN,
  ESCROW_SECRET_ARN,
  EVENT_BUS_NAME,
  HMAC_KEY_ARN,
  KEY_SOURCES,
  OBJECT_LOCK_DAYS,
  OBJECT_LOCK_MODE,
  RECOVERY_TABLE,
  SHARDS_TABLE,
  standbyEnvironment,
} from './environment.ts';
import { expiryFunctions, retentionFields } from './expiry/contract.ts';
import { filesFunctions } from './files/contract.ts';
import { backupIdSchema, operationIdSchema, shardNameSchema } from './ids.ts';
import { importFunctions, importRoutes } from './import/contract.ts';
import { keyFunctions } from './keys/contract.ts';
import { keySourceSchema } from './keys/key-source.ts';
import {
  backupSchema,
  backupStateSchema,
  backupSummarySchema,
  componentSchema,
  operationSchema,
} from './model.ts';
import { reencryptionFunctions } from './reencryption/contract.ts';
import { restoreFunctions, restoreRoutes } from './restore/contract.ts';
import { stageFunctions, stageRoutes } from './single-stages/contract.ts';
import { verifyHashBodySchema } from './single-stages/model.ts';
import { TENANTS, tenantIdSchema, tenantSchema } from './tenants/model.ts';
import * as workflow from './workflow.ts';

const accepted = { Location: 'Where to follow it.' };
const SWEEP_FUNCTION_ARN = arn.describe('Invoked asynchronously to remove leftovers.');
const DISCARD_POINT_IN_TIME_FUNCTION_ARN = arn.describe(
  'Invoked asynchronously to remove the clusters of a restore to a point in time.',
);
const RESTORE_DATABASE_FUNCTION_ARN = arn.describe(
  'Invoked asynchronously to remove the databases of a restore.',
);
const pipeline = {
  RECOVERY_TABLE,
  BACKUPS_BUCKET,
  ENCRYPTION_KEY_ARN,
  ESCROW_KEY_ARN,
  COMPRESSION: z.enum(['zstd', 'gzip']),
  COMPRESSION_LEVEL: z.coerce.number().int().min(1).max(19).describe('1 to 19 for zstd, 1 to 9 for gzip.'),
};

/** What running pg_dump takes beside the bundle. */
const pgDump = {
  files: ['@electric-sql/pglite-tools/dist/pg_dump.wasm'],
  workers: ['pg-dump-worker'],
};

const backupParams = z.strictObject({ backupId: backupIdSchema });
const operationParams = z.strictObject({ operationId: operationIdSchema });
const verifyBody = z
  .strictObject({ backupId: backupIdSchema, keys: keySourceSchema })
  .meta({ title: 'What to verify' });
const backupAccepted = { description: 'Accepted.', schema: backupSchema, headers: accepted };
const operationAccepted = { description: 'Accepted.', schema: operationSchema, headers: accepted };

/** Backups of the platform's databases: taken, proved, listed, restored, removed. */
export const recoveryContract = defineContract({
  name: 'recovery',
  title: 'Recovery',
  description: 'If we lose a database tonight, what do we lose and how fast are we back? Prove it.',
  routes: {
    startBackup: {
      method: 'POST',
      path: '/api/disaster-recovery/backup',
      scope: 'admin',
      once: {},
      summary: 'Take a backup',
      description:
        'Without a body: an incremental backup of every shard, full for those that have no earlier one to refer to. One backup of a shard runs at a time.',
      body: z
        .strictObject({
          type: z.enum(['incremental', 'full']).default('incremental').meta({
            description:
              '`incremental`: what has not changed since an earlier backup is referred to, not stored again. `full`: everything, depending on no other backup.',
          }),
          shards: z
            .array(shardNameSchema)
            .min(1)
            .max(100)
            .refine((shards) => new Set(shards).size === shards.length, 'names a shard twice')
            .optional()
            .meta({ description: 'Default: all shards.' }),
          components: z
            .array(componentSchema)
            .min(1)
            .refine((components) => new Set(components).size === components.length, 'names a component twice')
            .optional()
            .meta({
              description: 'Default: all three; where `shards` or a `tenant` are given, the databases alone.',
            }),
          tenant: tenantSchema.optional().meta({
            description:
              'One tenant’s part of the databases. Such a backup is always `full`, and no other one refers to it. Default: the whole platform.',
          }),
          ...retentionFields,
        })
        .refine(
          ({ shards, components }) => shards === undefined || components?.includes('database') !== false,
          {
            path: ['shards'],
            message: 'cannot be chosen where `components` has no `database`',
          },
        )
        .refine(
          ({ tenant, components }) =>
            tenant === undefined ||
            (components ?? ['database']).every((component) => component === 'database'),
          { path: ['components'], message: 'of one tenant there is the `database` alone' },
        )
        .meta({ title: 'What to back up' }),
      responses: {
        202: backupAccepted,
        409: { description: 'A backup of one of these shards is running; detail and `Location` name it.' },
        422: { description: 'A shard of that name does not exist, or tenants are not told apart like that.' },
      },
    },
    listBackups: {
      method: 'GET',
      path: '/api/disaster-recovery/backups',
      scope: 'admin',
      summary: 'List backups, newest first',
      query: z.strictObject({
        ...pageQuery,
        state: backupStateSchema.optional().meta({ description: 'Only backups in this state.' }),
        tenant: tenantIdSchema.optional().meta({
          description: 'Only backups of this one tenant. Default: those of the platform and of tenants.',
        }),
      }),
      responses: {
        200: {
          description: 'One page.',
          schema: z
            .strictObject({ backups: z.array(backupSummarySchema), nextToken: z.string().nullable() })
            .meta({ title: 'Page of backups' }),
        },
      },
    },
    getBackup: {
      method: 'GET',
      path: '/api/disaster-recovery/backups/{backupId}',
      scope: 'admin',
      summary: 'One backup, with its progress',
      params: backupParams,
      responses: {
        200: { description: 'The backup.', schema: backupSchema },
        404: { description: 'No such backup.' },
      },
    },
    cancelBackup: {
      method: 'POST',
      path: '/api/disaster-recovery/backups/{backupId}/cancel',
      scope: 'admin',
      summary: 'Cancel a running backup',
      description: 'What it has stored is removed. Canceling twice is the same as once.',
      params: backupParams,
      responses: {
        202: backupAccepted,
        404: { description: 'No such backup.' },
        409: { description: 'It has ended already.' },
      },
    },
    deleteBackup: {
      method: 'DELETE',
      path: '/api/disaster-recovery/backup/{backupId}',
      scope: 'admin',
      summary: 'Delete a backup and all its objects',
      params: backupParams,
      responses: {
        202: backupAccepted,
        404: { description: 'No such backup.' },
        409: {
          description:
            'It is still running: cancel it first. Or Object Lock holds it (`lockedUntil`, RFC 3339), newer backups refer to it (`dependents`), or it is being re-encrypted (`Location`).',
        },
      },
    },
    verify: {
      method: 'POST',
      path: '/api/disaster-recovery/encryption/verify',
      scope: 'admin',
      once: {},
      summary: 'Read a stored backup back',
      description: 'Manifest, and of every object hash, decryption, decompression, rows and their digest.',
      body: verifyBody,
      responses: {
        202: operationAccepted,
        404: { description: 'No such backup.' },
        409: { description: 'The backup is not complete.' },
        422: { description: 'The deployment does not have such keys.' },
      },
    },
    verifyHash: {
      method: 'POST',
      path: '/api/disaster-recovery/encryption/verify-hash',
      scope: 'admin',
      once: {},
      summary: 'Compare the hashes of a stored backup, or of one object',
      description:
        'Of a backup the manifest, and of every object size and SHA-256; of an object by its `key` the `.sha256` file beside it. Decrypts nothing.',
      body: verifyHashBodySchema,
      responses: {
        202: operationAccepted,
        404: { description: 'No such backup.' },
        409: { description: 'The backup is not complete.' },
        422: { description: 'A key that single stages do not read; `errors` names the field.' },
      },
    },
    getOperation: {
      method: 'GET',
      path: '/api/disaster-recovery/encryption/operations/{operationId}',
      scope: 'admin',
      summary: 'One verification or single stage, with what it found or made',
      params: operationParams,
      responses: {
        200: { description: 'The operation.', schema: operationSchema },
        404: { description: 'No such operation.' },
      },
    },
    cancelOperation: {
      method: 'POST',
      path: '/api/disaster-recovery/encryption/operations/{operationId}/cancel',
      scope: 'admin',
      summary: 'Cancel a running verification or single stage',
      params: operationParams,
      responses: {
        202: operationAccepted,
        404: { description: 'No such operation.' },
        409: { description: 'It has ended already.' },
      },
    },
    ...restoreRoutes,
    ...drillRoutes,
    ...importRoutes,
    ...stageRoutes,
    ...adoptionRoutes,
    ...automationRoutes,
  },
  functions: {
    /** Outside the VPC: starts and stops executions, invokes `sweep`. */
    api: {
      environment: z.object({
        ...gateEnvironment.shape,
        RECOVERY_TABLE,
        SHARDS_TABLE,
        BACKUPS_BUCKET,
        BACKUP_STATE_MACHINE_ARN: arn,
        VERIFICATION_STATE_MACHINE_ARN: arn,
        RESTORE_STATE_MACHINE_ARN: arn,
        DRILL_STATE_MACHINE_ARN: arn,
        IMPORT_RESTORE_STATE_MACHINE_ARN: arn,
        POINT_IN_TIME_STATE_MACHINE_ARN: arn,
        DISCARD_POINT_IN_TIME_FUNCTION_ARN,
        STAGE_STATE_MACHINE_ARN: arn,
        REENCRYPTION_STATE_MACHINE_ARN: arn,
        SWEEP_FUNCTION_ARN,
        RESTORE_DATABASE_FUNCTION_ARN,
        OBJECT_LOCK_DAYS,
        KEY_SOURCES,
        ADOPT_BUCKET,
        TENANTS,
        SCHEDULE_GROUP: z.string().min(1).describe('Group of the schedules that start backups.'),
        SCHEDULE_ROLE_ARN: arn.describe('The role that EventBridge Scheduler starts backups with.'),
      }),
    },
    /** Outside the VPC: `rds:DescribeDBClusters`, `rds:DescribeDBInstances`. */
    plan: {
      environment: z.object({ RECOVERY_TABLE, SHARDS_TABLE, TENANTS }),
      event: workflow.planEventSchema,
      result: workflow.planResultSchema,
    },
    /**
     * In the VPC, as `mainstay_backup`, with the longest timeout there is (900 s); never started again by Lambda
     * or the workflow once it may have begun. Where a session that waits for an exclusive lock keeps others out of a table, it copies
     * the chunk or dumps the DDL itself, so it needs what `chunk-pipeline` and `dump-schema` need. 1024 MB.
     */
    'hold-snapshot': {
      environment: z.object({
        ...pipeline,
        HOLD_TERM_SECONDS: z.coerce
          .number()
          .int()
          .min(2)
          .max(780)
          .describe('How long one invocation holds the snapshot before it asks the other lane to take over.'),
      }),
      event: workflow.holdSnapshotEventSchema,
      result: workflow.holdSnapshotResultSchema,
      ...pgDump,
    },
    /** In the VPC, as `mainstay_backup`; runs pg_dump as WebAssembly in a worker thread. At least 1024 MB. */
    'dump-schema': {
      environment: z.object(pipeline),
      event: workflow.dumpSchemaEventSchema,
      result: workflow.dumpSchemaResultSchema,
      ...pgDump,
    },
    /**
     * Outside the VPC: reads the description that the snapshot's holder left and, of an incremental backup, the manifest it
     * refers to (`kms:VerifyMac`); writes the plan for the distributed Map. Opens no data key: it only compares which it is.
     */
    'plan-chunks': {
      environment: z.object({
        RECOVERY_TABLE,
        BACKUPS_BUCKET,
        ENCRYPTION_KEY_ARN,
        HMAC_KEY_ARN,
        CHUNK_TARGET_MIB: z.coerce.number().int().min(1).max(4096).describe('Heap of a table in one chunk.'),
      }),
      event: workflow.shardEventSchema,
      result: workflow.planChunksResultSchema,
    },
    /** In the VPC, as `mainstay_backup`; 1769 MB is one CPU of its own. `kms:GenerateDataKey`, multipart uploads. */
    'chunk-pipeline': {
      environment: z.object(pipeline),
      event: workflow.chunkPipelineEventSchema,
      result: workflow.chunkPipelineResultSchema,
    },
    /** Outside the VPC; serves both workflows. `s3:GetObjectVersion`, `kms:Decrypt`. */
    'verify-chunk': {
      environment: z.object({
        RECOVERY_TABLE,
        BACKUPS_BUCKET,
        ENCRYPTION_KEY_ARN,
        ESCROW_SECRET_ARN,
        ...standbyEnvironment,
      }),
      event: workflow.verifyChunkEventSchema,
      result: workflow.verifyChunkResultSchema,
    },
    /**
     * Outside the VPC; `kms:Decrypt` to read DDL and sequences back, `kms:GenerateMac`, `kms:VerifyMac`,
     * `s3:GetObjectRetention`, `s3:PutObjectRetention`.
     */
    commit: {
      environment: z.object({
        RECOVERY_TABLE,
        BACKUPS_BUCKET,
        ENCRYPTION_KEY_ARN,
        ESCROW_KEY_ARN,
        HMAC_KEY_ARN,
        EVENT_BUS_NAME,
        OBJECT_LOCK_MODE,
        OBJECT_LOCK_DAYS,
      }),
      event: workflow.commitEventSchema,
      result: workflow.commitResultSchema,
    },
    /** Outside the VPC. */
    release: {
      environment: z.object({ RECOVERY_TABLE }),
      event: workflow.releaseEventSchema,
      result: workflow.releaseResultSchema,
    },
    /** Outside the VPC; target of both workflows' `Catch` and of the rule on executions that ended badly. */
    conclude: {
      environment: z.object({
        RECOVERY_TABLE,
        EVENT_BUS_NAME,
        SWEEP_FUNCTION_ARN,
        RESTORE_DATABASE_FUNCTION_ARN,
        DISCARD_POINT_IN_TIME_FUNCTION_ARN,
      }),
      event: workflow.concludeEventSchema,
      result: workflow.concludeResultSchema,
    },
    /** Outside the VPC; checks the manifest before its objects. */
    'plan-verification': {
      environment: z.object({
        RECOVERY_TABLE,
        BACKUPS_BUCKET,
        HMAC_KEY_ARN,
        ESCROW_SECRET_ARN,
        ...standbyEnvironment,
      }),
      event: workflow.planVerificationEventSchema,
      result: workflow.planVerificationResultSchema,
    },
    /** Outside the VPC. */
    'conclude-verification': {
      environment: z.object({ RECOVERY_TABLE }),
      event: workflow.concludeVerificationEventSchema,
      result: workflow.concludeVerificationResultSchema,
    },
    /**
     * Outside the VPC; invoked asynchronously for one backup, and hourly with `{}` to finish what was left.
     * `s3:ListBucketVersions`, `s3:ListBucketMultipartUploads`, `s3:DeleteObjectVersion`, `s3:AbortMultipartUpload`;
     * `s3:GetObjectVersion` and `kms:VerifyMac` for the manifests of backups that refer to an expired one.
     */
    sweep: {
      environment: z.object({ RECOVERY_TABLE, BACKUPS_BUCKET, HMAC_KEY_ARN, EVENT_BUS_NAME }),
      event: workflow.sweepEventSchema,
      result: workflow.sweepResultSchema,
    },
    ...restoreFunctions,
    ...filesFunctions,
    ...configurationFunctions,
    ...drillFunctions,
    ...importFunctions,
    ...stageFunctions,
    ...reencryptionFunctions,
    ...expiryFunctions,
    ...keyFunctions,
  },
});
