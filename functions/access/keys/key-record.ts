import * as z from 'zod';
import { tierSchema } from '../policy.ts';
import { tenantIdSchema } from '../tenants/tenant.ts';
import type { Key, KeyState } from './key.ts';
import { keyIdSchema } from './key-id.ts';
import { scopeSchema } from './scope.ts';

/** An API key as it is stored: everything but the key. */
export const keyRecordSchema = z.object({
  id: keyIdSchema,
  /** See `hashKey`. */
  hash: z.string(),
  name: z.string(),
  scopes: z.array(scopeSchema),
  tier: tierSchema.default('free'),
  state: z.enum(['active', 'revoked']),
  createdAt: z.iso.datetime(),
  /** Of the request that made it: when that is repeated, this is the key that it made. */
  workId: z.ulid().optional(),
  /** The key that made it, or `bootstrap`. */
  createdBy: z.string().optional(),
  /** The key is refused from then on. The item stays: it is not the table's time to live. */
  validUntil: z.iso.datetime().optional(),
  revokedAt: z.iso.datetime().optional(),
  /** The key that was rerolled to make this one, and the other way round. */
  replaces: keyIdSchema.optional(),
  replacedBy: keyIdSchema.optional(),
  tenant: tenantIdSchema.optional(),
});
export type KeyRecord = z.output<typeof keyRecordSchema>;

/** Whether a key is good now. @param now milliseconds since the epoch. */
export function stateOf({ state, validUntil }: KeyRecord, now: number): KeyState {
  if (state === 'revoked') return 'revoked';
  return validUntil !== undefined && Date.parse(validUntil) <= now ? 'expired' : 'active';
}

/** A key as the API shows it, without its hash. */
export function showKey(record: KeyRecord, now: number, lastUsedAt: string | undefined): Key {
  const { id, name, scopes, tier, createdAt } = record;
  return {
    id,
    name,
    scopes,
    tier,
    tenantId: record.tenant ?? null,
    state: stateOf(record, now),
    createdAt,
    createdBy: record.createdBy ?? null,
    validUntil: record.validUntil ?? null,
    revokedAt: record.revokedAt ?? null,
    replaces: record.replaces ?? null,
    replacedBy: record.replacedBy ?? null,
    lastUsedAt: lastUsedAt ?? null,
  };
}
