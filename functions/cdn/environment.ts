import * as z from 'zod';
import { jsonVariable } from '../shared/json-variable.ts';
import { cachePolicySchema, signingSchema } from './assets/model.ts';
import { providerSettingsSchema } from './providers/settings.ts';

/** Variables that several functions of the CDN are given. */

export const arn = z.string().startsWith('arn:');

export const CDN_TABLE = z.string().min(1).describe('Purges, warming, and what the logs of the edge say.');
export const CDN_PROVIDER = jsonVariable
  .pipe(providerSettingsSchema)
  .describe('The edge provider: its kind, domain and ids.');
export const CDN_SIGNING = jsonVariable
  .pipe(signingSchema.nullable())
  .describe('The key that URLs are signed with; null: none.');
export const CACHE_POLICIES = jsonVariable
  .pipe(z.array(cachePolicySchema))
  .describe('For how long the own distribution keeps files.');
export const EVENT_BUS_NAME = z.string().min(1).describe('The platform’s event bus.');
export const AUDIT_TABLE = z.string().min(1).describe('The audit trail.');
export const AUDIT_DAYS = z.coerce.number().int().min(1).describe('How long its entries are kept, in days.');
