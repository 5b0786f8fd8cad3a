import * as z from 'zod';
import {
  arn,
  BACKUPS_BUCKET,
  ENCRYPTION_KEY_ARN,
  ESCROW_KEY_ARN,
  ESCROW_SECRET_ARN,
  EVENT_BUS_NAME,
  HMAC_KEY_ARN,
  OBJECT_LOCK_DAYS,
  OBJECT_LOCK_MODE,
  RECOVERY_TABLE,
} from '../environment.ts';
import { backupIdSchema } from '../ids.ts';
import { backupSchema } from '../model.ts';
import * as events from './events.ts';
import { completeBodySchema, importRequestSchema, uploadsSchema } from './model.ts';
import { restoreImportEventSchema, restoreImportResultSchema } from './restore-events.ts';

const headers = { Location: 'Where to follow it.' };
const params = z.strictObject({ backupId: backupIdSchema });
const notFound = { description: 'No such import.' };

/** The routes of imports; an import is followed, listed, verified, restored and deleted as a backup is. */
export const importRoutes = {
  startImport: {
    method: 'POST',
    path: '/api/disaster-recovery/import',
    scope: 'admin',
    once: { secrets: ['uploads'] },
    summary: 'Import a dump that was made elsewhere',
    description:
      'Answers where to upload it, within a day. What is uploaded is compressed unless it came so, encrypted, hashed, stored, read back, and then a backup like any other.',
    body: importRequestSchema,
    responses: {
      202: {
        description: 'Accepted; it waits for the upload.',
        schema: z
          .strictObject({ ...backupSchema.shape, uploads: uploadsSchema.nullable() })
          .meta({ title: 'Import that was begun' }),
        headers,
      },
    },
  },
  renewImportUploads: {
    method: 'POST',
    path: '/api/disaster-recovery/import/{backupId}/uploads',
    scope: 'admin',
    summary: 'Get new URLs for an upload',
    description: 'For an upload that takes longer than its URLs are good for. What was uploaded stays.',
    params,
    body: z
      .strictObject({ urlSeconds: z.number().int().min(60).max(43_200).default(3_600) })
      .meta({ title: 'How long the URLs are good for' }),
    responses: {
      200: { description: 'Where to upload.', schema: uploadsSchema },
      404: notFound,
      409: { description: 'It does not wait for an upload any more.' },
    },
  },
  completeImport: {
    method: 'POST',
    path: '/api/disaster-recovery/import/{backupId}/complete',
    scope: 'admin',
    summary: 'Put the parts of an upload together',
    description: 'Only for dumps above 5 GiB. Completing twice is the same as once.',
    params,
    body: completeBodySchema,
    responses: {
      202: { description: 'Accepted.', schema: backupSchema, headers },
      404: notFound,
      409: { description: 'The dump is not uploaded in parts.' },
      422: { description: 'S3 does not have these parts.' },
    },
  },
} as const;

/** The functions of imports. All are outside the VPC. */
export const importFunctions = {
  /** Target of the rule on objects that were uploaded; starts the workflow. */
  'start-import': {
    environment: z.object({ RECOVERY_TABLE, IMPORT_STATE_MACHINE_ARN: arn }),
    event: events.uploadedEventSchema,
    result: events.uploadedResultSchema,
  },
  /** Reads the beginning of the upload, and writes the plan for the distributed Map. */
  'plan-import': {
    environment: z.object({ RECOVERY_TABLE, BACKUPS_BUCKET }),
    event: events.planImportEventSchema,
    result: events.planImportResultSchema,
  },
  /** Compress, encrypt, hash, store and verify: one invocation for each state. 1769 MB is one CPU. */
  'import-segment': {
    environment: z.object({
      RECOVERY_TABLE,
      BACKUPS_BUCKET,
      ENCRYPTION_KEY_ARN,
      ESCROW_KEY_ARN,
      COMPRESSION: z.enum(['zstd', 'gzip']),
      COMPRESSION_LEVEL: z.coerce
        .number()
        .int()
        .min(1)
        .max(19)
        .describe('1 to 19 for zstd, 1 to 9 for gzip.'),
    }),
    event: events.importSegmentEventSchema,
    result: events.importSegmentResultSchema,
  },
  /** Reads the whole upload, in as many invocations as it takes. */
  'digest-upload': {
    environment: z.object({ RECOVERY_TABLE, BACKUPS_BUCKET }),
    event: events.digestUploadEventSchema,
    result: events.uploadDigestSchema,
  },
  /** Writes the manifest; removes the upload. */
  'commit-import': {
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
    event: events.commitImportEventSchema,
    result: z.strictObject({ backupId: backupIdSchema, manifestKey: z.string() }),
  },
  /** Checks the manifest, decrypts, and puts the dump together below `scratch/`. */
  'restore-import': {
    environment: z.object({
      RECOVERY_TABLE,
      BACKUPS_BUCKET,
      ENCRYPTION_KEY_ARN,
      HMAC_KEY_ARN,
      ESCROW_SECRET_ARN,
      ESCROW_KEY_ARN,
    }),
    event: restoreImportEventSchema,
    result: restoreImportResultSchema,
  },
} as const;
