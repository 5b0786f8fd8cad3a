import { newId } from '../../shared/ids.ts';
import { Problem } from '../../shared/problem.ts';
import { findKey, leaveAdmins, revokeKey } from './change-key.ts';
import { type IssuedKey, isoTime, issueKey, type KeyDependencies } from './issue-key.ts';
import type { KeyId } from './key-id.ts';
import { revokedKey } from './key-problems.ts';
import { type KeyRecord, stateOf } from './key-record.ts';

const hourMs = 3_600_000;

export interface Reroll {
  /** How long the old key stays valid. */
  readonly overlapHours: number;
  /** When the new key ends, RFC 3339; default: when the old one would have. */
  readonly validUntil?: string | undefined;
  readonly createdBy: string;
  /** The same when the request is repeated. Default: a new one. */
  readonly workId?: string;
}

/**
 * Makes a key like an existing one, and lets that one end after the overlap.
 *
 * @returns the new key, and the old one as it is now.
 * @throws Problem 404; 409 for a key that is no longer good or was replaced already; 422.
 */
export async function rerollKey(
  deps: KeyDependencies,
  id: KeyId,
  { overlapHours, validUntil, createdBy, workId = newId() }: Reroll,
): Promise<IssuedKey & { readonly old: KeyRecord }> {
  const { keys, now } = deps;
  const before = await findKey(deps, id);
  if (!(await isReplacedBy(deps, before, workId))) assertGood(before, now());
  const { name, scopes, tier, tenant: tenantId } = before;
  const issued = await issueKey(deps, {
    name,
    scopes,
    tier,
    tenantId,
    validUntil: validUntil ?? before.validUntil,
    replaces: id,
    createdBy,
    workId,
  });
  const end = Math.min(now() + overlapHours * hourMs, Date.parse(before.validUntil ?? '9999-12-31'));
  try {
    await leaveAdmins(deps, before);
  } catch (error) {
    if (error instanceof Problem) await revokeKey(deps, issued.record.id);
    throw error;
  }
  const replaced = await keys.replace(id, issued.record.id, isoTime(end));
  if (replaced !== undefined) return { ...issued, old: replaced };
  const old = await findKey(deps, id);
  // By the same request, before it was repeated.
  if (old.replacedBy === issued.record.id) return { ...issued, old };
  // Revoked at the same time: that is an end as well, and the new key may be the only one that is left.
  if (old.state === 'revoked' || !(await withdraw(deps, issued.record.id))) return { ...issued, old };
  assertGood(old, now());
  throw new Problem('conflict', 'The API key was changed at the same time. Try again.');
}

/** Whether the key was rerolled by the same request, before that was repeated. */
async function isReplacedBy(
  { keys }: KeyDependencies,
  { replacedBy }: KeyRecord,
  workId: string,
): Promise<boolean> {
  return replacedBy !== undefined && (await keys.find(replacedBy))?.workId === workId;
}

/** Revokes a key that nobody has seen. @returns `false` when it has become the last admin key, and has to be shown. */
async function withdraw(deps: KeyDependencies, id: KeyId): Promise<boolean> {
  try {
    await revokeKey(deps, id);
    return true;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}

function assertGood(record: KeyRecord, now: number): void {
  if (record.replacedBy !== undefined) {
    throw new Problem(
      'conflict',
      `The API key was rerolled already; its successor is ${record.replacedBy}.`,
      {
        extensions: { replacedBy: record.replacedBy },
      },
    );
  }
  const state = stateOf(record, now);
  if (state === 'revoked') throw revokedKey();
  if (state === 'expired') throw new Problem('conflict', 'The API key has expired. Make a new one.');
}
