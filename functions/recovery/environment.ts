import * as z from 'zod';
import { keySources } from './keys/key-source.ts';

/** Variables that several functions of this capability are given. */

export const arn = z.string().startsWith('arn:');
const name = z.string().min(1);

export const RECOVERY_TABLE = name.describe('Catalogue of backups.');
export const SHARDS_TABLE = name.describe('Shards and their writers.');
export const ASSETS_BUCKET = name.describe('The platform’s files.');
export const BACKUPS_BUCKET = name.describe('Where backups are stored.');
export const ENCRYPTION_KEY_ARN = arn.describe('KMS key that wraps the data keys of backups.');
export const ESCROW_KEY_ARN = arn
  .optional()
  .describe('KMS key that seals the wrapping keys of the escrow; without it there is no escrow.');
export const ESCROW_SECRET_ARN = arn
  .optional()
  .describe('Secret that holds the escrow passphrase; without it there is no escrow.');
export const HMAC_KEY_ARN = arn.describe('KMS HMAC key that authenticates manifests.');
export const EVENT_BUS_NAME = name.describe('The platform’s event bus.');
export const OBJECT_LOCK_DAYS = z.coerce
  .number()
  .int()
  .min(0)
  .describe('For how long the bucket locks each new object, in days; 0: not at all.');
export const OBJECT_LOCK_MODE = z
  .enum(['GOVERNANCE', 'COMPLIANCE'])
  .describe('How objects are locked on request.');
export const KEY_SOURCES = z
  .string()
  .transform((text) => text.split(' '))
  .pipe(z.array(z.enum(keySources)).min(1))
  .describe('The keys that the deployment can open backups with, separated by spaces.');

export const ADOPT_BUCKET = name
  .optional()
  .describe('Where another deployment’s backups were copied to; without it none are adopted.');
export const ADOPT_KEY_ARN = arn
  .optional()
  .describe('The replica of that deployment’s key that this function uses, beside the copies.');

/** Of the standby region, where there is one. */
export const standbyEnvironment = {
  STANDBY_REGION: name.optional().describe('Where the copies of backups and the replicas of the keys are.'),
  VAULT_BUCKET: name.optional().describe('Where backups are copied to.'),
};
