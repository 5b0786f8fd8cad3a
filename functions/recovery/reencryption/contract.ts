import * as z from 'zod';
import {
  ADOPT_BUCKET,
  ADOPT_KEY_ARN,
  BACKUPS_BUCKET,
  ENCRYPTION_KEY_ARN,
  ESCROW_KEY_ARN,
  ESCROW_SECRET_ARN,
  HMAC_KEY_ARN,
  OBJECT_LOCK_DAYS,
  OBJECT_LOCK_MODE,
  RECOVERY_TABLE,
  standbyEnvironment,
} from '../environment.ts';
import {
  reencryptBackupEventSchema,
  reencryptBackupResultSchema,
  reencryptObjectsEventSchema,
  reencryptObjectsResultSchema,
} from './events.ts';

const reading = { ESCROW_KEY_ARN, ESCROW_SECRET_ARN, ...standbyEnvironment, ADOPT_BUCKET, ADOPT_KEY_ARN };

/** The functions that re-encrypt a backup, or adopt one, which is stored anew in the same way. */
export const reencryptionFunctions = {
  /**
   * Outside the VPC: checks the manifest and lists its objects; replaces it at the end, and removes what it named before.
   * `kms:VerifyMac`, `kms:GenerateMac`, `s3:GetObjectVersion`, `s3:PutObject`, `s3:GetObjectRetention`,
   * `s3:PutObjectRetention`; `s3:ListBucketVersions`, `s3:DeleteObjectVersion` below `backups/`. Of an adopted one it reads the
   * manifest in the vault, and writes one of its own.
   */
  'reencrypt-backup': {
    environment: z.object({
      RECOVERY_TABLE,
      BACKUPS_BUCKET,
      ENCRYPTION_KEY_ARN,
      HMAC_KEY_ARN,
      OBJECT_LOCK_MODE,
      OBJECT_LOCK_DAYS,
      ...reading,
    }),
    event: reencryptBackupEventSchema,
    result: reencryptBackupResultSchema,
  },
  /**
   * Outside the VPC: opens each object, stores its content as another message, and reads that back. `kms:Decrypt`,
   * `kms:GenerateDataKey`, multipart uploads, `s3:PutObjectRetention`. 1769 MB is one CPU.
   */
  'reencrypt-objects': {
    environment: z.object({
      RECOVERY_TABLE,
      BACKUPS_BUCKET,
      ENCRYPTION_KEY_ARN,
      OBJECT_LOCK_MODE,
      ...reading,
    }),
    event: reencryptObjectsEventSchema,
    result: reencryptObjectsResultSchema,
  },
} as const;
