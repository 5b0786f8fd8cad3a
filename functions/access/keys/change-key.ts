import { Problem } from '../../shared/problem.ts';
import { isLasting } from './admin-keys.ts';
import { isoTime, type KeyDependencies } from './issue-key.ts';
import type { KeyId } from './key-id.ts';
import { lastAdminKey, noSuchKey, revokedKey, unfitting } from './key-problems.ts';
import type { KeyRecord } from './key-record.ts';
import type { KeyChanges } from './key-store.ts';

/** The outcome of a request that may have been made before. */
export interface Changed {
  readonly record: KeyRecord;
  /** Whether this request changed it. */
  readonly changed: boolean;
}

/** @throws Problem 404. */
export async function findKey({ keys }: Pick<KeyDependencies, 'keys'>, id: KeyId): Promise<KeyRecord> {
  const record = await keys.find(id);
  if (record === undefined) throw noSuchKey();
  return record;
}

/**
 * Changes name, tier or scopes of a key. `admin` can be taken away and not be given: a key in somebody's hands does not
 * become one that can do everything.
 *
 * @throws Problem 404, 409, 422.
 */
export async function changeKey(deps: KeyDependencies, id: KeyId, changes: KeyChanges): Promise<KeyRecord> {
  const before = await findKey(deps, id);
  if (before.state === 'revoked') throw revokedKey();
  const { scopes } = changes;
  if (scopes?.includes('admin') && !before.scopes.includes('admin')) {
    throw unfitting('scopes', '`admin` is given when a key is made; make a new key');
  }
  if (scopes !== undefined && !scopes.includes('admin')) await leaveAdmins(deps, before);
  const after = await deps.keys.change(id, changes);
  if (after === undefined)
    throw new Problem('conflict', 'The API key was changed at the same time. Try again.');
  return after;
}

/**
 * Revokes a key; doing it twice is the same as once, and finishes what was left half-way.
 *
 * @throws Problem 404; 409 for the last lasting admin key.
 */
export async function revokeKey(deps: KeyDependencies, id: KeyId): Promise<Changed> {
  const before = await findKey(deps, id);
  await leaveAdmins(deps, before);
  const revoked = await deps.keys.revoke(id, isoTime(deps.now()));
  if (before.tenant !== undefined) await deps.tenants.keys.release(before.tenant, id);
  return { record: revoked ?? (await findKey(deps, id)), changed: revoked !== undefined };
}

/** Before a key stops being a lasting admin key. @throws Problem 409 when it is the last. */
export async function leaveAdmins({ admins }: KeyDependencies, record: KeyRecord): Promise<void> {
  if (isLasting(record) && !(await admins.leave(record.id))) throw lastAdminKey();
}
