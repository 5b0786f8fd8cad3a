import * as z from 'zod';

/** Variables that several functions of this capability are given. */

export const arn = z.string().startsWith('arn:');
const name = z.string().min(1);

export const RECOVERY_TABLE = name.describe('Catalogue of backups.');
export const SHARDS_TABLE = name.describe('Shards and their writers.');
export const BACKUPS_BUCKET = name.describe('Where backups are stored.');
export const ENCRYPTION_KEY_ARN = arn.describe('KMS key that wraps the data keys of backups.');
export const HMAC_KEY_ARN = arn.describe('KMS HMAC key that authenticates manifests.');
export const EVENT_BUS_NAME = name.describe('The platform’s event bus.');
