import * as z from 'zod';
import { traceparentSchema } from '../../shared/traceparent.ts';
import {
  BACKUPS_BUCKET,
  ENCRYPTION_KEY_ARN,
  ESCROW_KEY_ARN,
  HMAC_KEY_ARN,
  RECOVERY_TABLE,
  SHARDS_TABLE,
} from '../environment.ts';
import { backupIdSchema, restoreIdSchema } from '../ids.ts';
import { componentWorkSchema } from '../workflow.ts';

const name = z.string().min(1);
const context = { backupId: backupIdSchema, traceparent: traceparentSchema };

/** The function of the configuration. */
export const configurationFunctions = {
  /**
   * Outside the VPC. Phase `dump`: stores the configuration without secrets. Phase `compare`: leaves what has changed since
   * a backup, and the commands that would change it back. Reads parameters and the platform's tables; writes neither.
   */
  'dump-configuration': {
    environment: z.object({
      RECOVERY_TABLE,
      SHARDS_TABLE,
      ACCESS_TABLE: name.describe('API keys and tenants.'),
      LIMITS_TABLE: name.describe('Of it, the lists of addresses.'),
      WEBHOOKS_TABLE: name.describe('Webhook endpoints.'),
      BACKUPS_BUCKET,
      ENCRYPTION_KEY_ARN,
      HMAC_KEY_ARN,
      ESCROW_KEY_ARN,
      COMPRESSION: z.enum(['zstd', 'gzip']),
      COMPRESSION_LEVEL: z.coerce
        .number()
        .int()
        .min(1)
        .max(19)
        .describe('1 to 19 for zstd, 1 to 9 for gzip.'),
      PARAMETER_PATHS: z
        .string()
        .transform((text) => text.split(','))
        .describe('Paths below which parameters are read, joined by commas.'),
    }),
    event: z.discriminatedUnion('phase', [
      z.strictObject({ phase: z.literal('dump'), ...context }),
      z.strictObject({ phase: z.literal('compare'), ...context, restoreId: restoreIdSchema }),
    ]),
    result: z.union([
      componentWorkSchema,
      z.strictObject({ restoreId: restoreIdSchema, changes: z.number().int().min(0) }),
    ]),
  },
};
