import * as z from 'zod';
import { BACKUPS_BUCKET, ESCROW_KEY_ARN, ESCROW_SECRET_ARN } from '../environment.ts';
import { fingerprintSchema } from './escrow-model.ts';

/** The functions of the escrow. */
export const keyFunctions = {
  /**
   * Outside the VPC; invoked by the bootstrap and hourly, so that a passphrase that was put or changed is in use soon.
   * `secretsmanager:GetSecretValue`, `kms:Encrypt`, `s3:GetObject` and `s3:PutObject` below `escrow/`. At least 512 MB:
   * the derivation takes 128 MiB.
   */
  'derive-escrow': {
    environment: z.object({ BACKUPS_BUCKET, ESCROW_SECRET_ARN, ESCROW_KEY_ARN }),
    event: z.looseObject({}),
    result: z.strictObject({
      state: z
        .enum(['disabled', 'missing', 'unchanged', 'made'])
        .describe('`missing`: the secret holds no passphrase.'),
      fingerprint: fingerprintSchema.optional(),
    }),
  },
};
