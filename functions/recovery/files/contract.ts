import * as z from 'zod';
import { traceparentSchema } from '../../shared/traceparent.ts';
import { workObjectSchema } from '../catalog/snapshot-store.ts';
import {
  ASSETS_BUCKET,
  BACKUPS_BUCKET,
  ENCRYPTION_KEY_ARN,
  ESCROW_KEY_ARN,
  HMAC_KEY_ARN,
  RECOVERY_TABLE,
} from '../environment.ts';
import { backupIdSchema, restoreIdSchema } from '../ids.ts';
import { componentWorkSchema } from '../workflow.ts';

const count = z.number().int().min(0);
const context = { backupId: backupIdSchema, traceparent: traceparentSchema };
/** A work item: its number, and where it is. */
export const filesWorkSchema = z.strictObject({
  item: count,
  work: z.strictObject(workObjectSchema.shape),
});
export type FilesWork = z.output<typeof filesWorkSchema>;

const place = {
  RECOVERY_TABLE,
  BACKUPS_BUCKET,
  ASSETS_BUCKET,
  ENCRYPTION_KEY_ARN,
  ESCROW_KEY_ARN,
  COMPRESSION: z.enum(['zstd', 'gzip']),
  COMPRESSION_LEVEL: z.coerce.number().int().min(1).max(19).describe('1 to 19 for zstd, 1 to 9 for gzip.'),
};

/** The functions of files. */
export const filesFunctions = {
  /**
   * Outside the VPC. Phase `plan`: lists the bucket and leaves the work items; `again` when time ran out in between. Phase
   * `index`: stores the list of all files. `s3:ListBucketVersions` on the assets.
   */
  'plan-files': {
    environment: z.object({ ...place, HMAC_KEY_ARN }),
    event: z.strictObject({
      phase: z.enum(['plan', 'index']),
      ...context,
      type: z.enum(['full', 'incremental']),
    }),
    result: z.union([
      z.strictObject({
        outcome: z.enum(['done', 'again']),
        bucket: z.string(),
        key: z.string(),
        items: count,
      }),
      componentWorkSchema,
    ]),
  },
  /** Outside the VPC; copies one work item. `s3:GetObjectVersion`, `s3:GetObjectVersionTagging` on the assets. */
  'copy-files': {
    environment: z.object(place),
    event: z.strictObject({ ...context, work: filesWorkSchema }),
    result: componentWorkSchema,
  },
  /**
   * Outside the VPC; puts one work item of files back. Reads and writes the assets, and reads the backups; with `dryRun`
   * only says what is in the way.
   */
  'restore-files': {
    environment: z.object({
      ...{ RECOVERY_TABLE, BACKUPS_BUCKET, ASSETS_BUCKET },
      ...{ ENCRYPTION_KEY_ARN, ESCROW_KEY_ARN },
    }),
    event: z.strictObject({
      ...context,
      restoreId: restoreIdSchema,
      dryRun: z.boolean(),
      work: filesWorkSchema,
    }),
    result: z.strictObject({ item: count, restored: count, equal: count, conflicts: count }),
  },
};
