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
import { shardNameSchema } from '../ids.ts';
import { restoreKeySchema } from '../keys/key-source.ts';
import * as events from './events.ts';
import { drillIdSchema } from './ids.ts';
import { drillSchema, restorePointSchema } from './model.ts';
import { drillReportSchema } from './report.ts';

const accepted = {
  description: 'Accepted.',
  schema: drillSchema,
  headers: { Location: 'Where to follow it.' },
};
const params = z.strictObject({ drillId: drillIdSchema });
const notFound = { description: 'No such drill.' };

const drillBodySchema = z
  .strictObject({
    restorePoint: restorePointSchema.default('latest'),
    shards: z
      .array(shardNameSchema)
      .min(1)
      .max(100)
      .refine((shards) => new Set(shards).size === shards.length, 'names a shard twice')
      .optional()
      .meta({ description: 'Default: all shards of the backup.' }),
    reuseVerification: z.boolean().default(true).meta({
      description:
        'Compare the hashes of the stored objects before the restore only where S3 cannot show that they are those that were verified. The restore itself reads and checks every object in any case.',
    }),
    keys: restoreKeySchema,
  })
  .meta({ title: 'What to rehearse' });
export type DrillBody = z.output<typeof drillBodySchema>;

/** The routes of drills. */
export const drillRoutes = {
  startDrill: {
    method: 'POST',
    path: '/api/disaster-recovery/test',
    scope: 'admin',
    once: {},
    summary: 'Rehearse a restore',
    description:
      'Restores a backup into scratch databases, reads every row again and compares it with the manifest, checks foreign keys, indexes, sequences and the assertions of the configuration, measures RPO and RTO, writes a report, and removes the scratch databases.',
    body: drillBodySchema,
    responses: {
      202: accepted,
      404: { description: 'No such backup.' },
      409: {
        description:
          'The backup is not complete, or holds no database. Or another drill is at work: detail and `Location` name it.',
      },
      422: { description: 'The backup does not have such a shard.' },
    },
  },
  listDrills: {
    method: 'GET',
    path: '/api/disaster-recovery/tests',
    scope: 'admin',
    summary: 'List drills, newest first',
    query: z.strictObject(pageQuery),
    responses: {
      200: {
        description: 'One page.',
        schema: z
          .strictObject({ drills: z.array(drillSchema), nextToken: z.string().nullable() })
          .meta({ title: 'Page of drills' }),
      },
    },
  },
  getDrill: {
    method: 'GET',
    path: '/api/disaster-recovery/test/{drillId}',
    scope: 'admin',
    summary: 'One drill, with its progress',
    params,
    responses: { 200: { description: 'The drill.', schema: drillSchema }, 404: notFound },
  },
  cancelDrill: {
    method: 'POST',
    path: '/api/disaster-recovery/test/{drillId}/cancel',
    scope: 'admin',
    summary: 'Cancel a drill',
    description: 'The scratch databases are removed. Canceling twice is the same as once.',
    params,
    responses: { 202: accepted, 404: notFound, 409: { description: 'It has ended.' } },
  },
  getDrillReport: {
    method: 'GET',
    path: '/api/disaster-recovery/test/{drillId}/report',
    scope: 'admin',
    summary: 'The report of a drill',
    description:
      'JSON, or Markdown where `Accept` prefers `text/markdown` or `format` says so; exactly the bytes whose SHA-256 the drill names.',
    params,
    query: z.strictObject({
      format: z.enum(['json', 'markdown']).optional().describe('In place of the header `Accept`.'),
    }),
    responses: {
      200: {
        description: 'The report.',
        contentType: 'application/json',
        schema: z.union([
          drillReportSchema,
          z.string().meta({ description: 'The text of the report, as JSON or Markdown.' }),
        ]),
      },
      404: { description: 'No such drill, or it has no report: it has not ended.' },
    },
  },
} as const;

/** The functions of drills. */
export const drillFunctions = {
  /** Outside the VPC; first state of the workflow. `s3:GetObjectVersion`, `kms:VerifyMac`. */
  'plan-drill': {
    environment: z.object({
      RECOVERY_TABLE,
      SHARDS_TABLE,
      BACKUPS_BUCKET,
      HMAC_KEY_ARN,
      ESCROW_SECRET_ARN,
      ESCROW_KEY_ARN,
      RESTORE_STATE_MACHINE_ARN: arn,
      VERIFICATION_STATE_MACHINE_ARN: arn,
    }),
    event: events.planDrillEventSchema,
    result: events.planDrillResultSchema,
  },
  /** In the VPC, as `mainstay_restore`, and for the operator's assertions as `mainstay_backup`, which may only read. */
  'check-drill': {
    environment: z.object({ RECOVERY_TABLE }),
    event: events.checkDrillEventSchema,
    result: events.checkDrillResultSchema,
  },
  /** Outside the VPC; what comes after the checks, target of the rule on drills that ended badly, and the watch over drills. */
  'conclude-drill': {
    environment: z.object({
      RECOVERY_TABLE,
      BACKUPS_BUCKET,
      ENCRYPTION_KEY_ARN: ENCRYPTION_KEY_ARN.describe('Named where a drill fails because it cannot be used.'),
      EVENT_BUS_NAME,
      RESTORE_DATABASE_FUNCTION_ARN: arn.describe(
        'Invoked asynchronously to remove the databases of a restore.',
      ),
      RPO_TARGET_MINUTES: z.coerce.number().int().min(1),
      RTO_TARGET_MINUTES: z.coerce.number().int().min(1),
    }),
    event: events.concludeDrillEventSchema,
    result: events.concludeDrillResultSchema,
  },
};
