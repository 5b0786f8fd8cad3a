import { newId } from '../../shared/ids.ts';
import { Problem } from '../../shared/problem.ts';
import type { Tier } from '../policy.ts';
import type { TenantId } from '../tenants/tenant.ts';
import type { TenantStore } from '../tenants/tenant-store.ts';
import { type AdminKeys, isLasting } from './admin-keys.ts';
import { generateKey, hashKey, keyIdOfWork } from './api-keys.ts';
import type { KeyId } from './key-id.ts';
import { unfitting } from './key-problems.ts';
import type { KeyRecord } from './key-record.ts';
import type { KeyStore } from './key-store.ts';

export interface KeyDependencies {
  readonly keys: KeyStore;
  readonly tenants: TenantStore;
  readonly admins: AdminKeys;
  readonly pepper: () => Promise<string>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface KeyRequest extends Pick<KeyRecord, 'name' | 'scopes'> {
  /** Default: the tier of the tenant, or `free`. */
  readonly tier?: Tier | undefined;
  readonly tenantId?: TenantId | undefined;
  /** RFC 3339. Default: it does not expire. */
  readonly validUntil?: string | undefined;
  readonly replaces?: KeyId;
  readonly createdBy: string;
  /** The same when the request is repeated. Default: a new one. */
  readonly workId?: string;
}

/** Ids that a request may find taken: by a key that was revoked since, or by chance. */
const maximumIds = 10;

export interface IssuedKey {
  readonly record: KeyRecord;
  /** The key itself; whoever gets this shows it once and keeps it nowhere. */
  readonly key: string;
}

/**
 * Makes an API key. A run that ends half-way leaves at most a key that nobody knows; when its request is repeated, that
 * key gets another secret, which ends what may have been shown of the first.
 *
 * @throws Problem 422 for what does not fit, 409 for a tenant that has too many keys.
 */
export async function issueKey(deps: KeyDependencies, request: KeyRequest): Promise<IssuedKey> {
  const { now } = deps;
  const { tenantId, validUntil, scopes } = request;
  if (validUntil !== undefined && Date.parse(validUntil) <= now()) {
    throw unfitting('validUntil', 'is not in the future');
  }
  if (tenantId !== undefined && scopes.includes('admin')) {
    throw unfitting('scopes', 'the key of a tenant cannot have `admin`');
  }
  const tenant = tenantId === undefined ? undefined : await activeTenant(deps, tenantId);
  const issued = await store(deps, {
    name: request.name,
    scopes,
    tier: request.tier ?? tenant?.tier ?? 'free',
    state: 'active',
    createdAt: isoTime(now()),
    createdBy: request.createdBy,
    workId: request.workId ?? newId(),
    ...(validUntil === undefined ? {} : { validUntil: isoTime(Date.parse(validUntil)) }),
    ...(request.replaces === undefined ? {} : { replaces: request.replaces }),
    ...(tenantId === undefined ? {} : { tenant: tenantId }),
  });
  if (tenantId !== undefined) await hold(deps, tenantId, issued.record.id);
  return issued;
}

/** Stores a new key, or gives another secret to the one that its request has made before. */
async function store(
  { keys, admins, pepper }: KeyDependencies,
  made: Omit<KeyRecord, 'id' | 'hash'> & { readonly workId: string },
): Promise<IssuedKey> {
  for (let number = 1; number <= maximumIds; number++) {
    const { id, key } = generateKey(keyIdOfWork(made.workId, number));
    const hash = hashKey(await pepper(), key);
    const record: KeyRecord = { ...made, id, hash };
    if ((await keys.find(id)) === undefined) {
      // Only before it is stored: a key that has left that set does not come back.
      if (isLasting(record)) await admins.join(id);
      if (await keys.create(record)) return { record, key };
    }
    const renewed = await keys.renew(id, made.workId, hash);
    if (renewed !== undefined) return { record: renewed, key };
  }
  throw new Error(`None of the ids of the work ${made.workId} is free for an API key`);
}

export const isoTime = (ms: number): string => new Date(ms).toISOString();

async function activeTenant({ tenants }: KeyDependencies, id: TenantId) {
  const tenant = await tenants.find(id);
  if (tenant === undefined) throw unfitting('tenantId', 'there is no such tenant');
  if (tenant.state === 'suspended') throw unfitting('tenantId', 'the tenant is suspended');
  return tenant;
}

/** Notes the key at its tenant, which cannot be deleted from then on; a key that cannot be noted is revoked. */
async function hold({ tenants, keys, now }: KeyDependencies, tenantId: TenantId, id: KeyId): Promise<void> {
  if (await tenants.keys.hold(tenantId, id)) return;
  await keys.revoke(id, isoTime(now()));
  const tenant = await tenants.find(tenantId);
  if (tenant?.state === 'active') {
    throw new Problem('conflict', 'The tenant has as many API keys as it may have. Revoke one first.');
  }
  throw unfitting('tenantId', 'the tenant has been suspended or deleted');
}
