import { createHash } from 'node:crypto';
import type { Caller, HttpRequest } from '../../shared/http-handler.ts';
import { Problem } from '../../shared/problem.ts';
import { subjectOfAddress } from '../addresses/address.ts';
import type { Holder } from './limits-of-policy.ts';

/** The header by which a platform says for which of its users a request is made. */
export const userHeader = 'mainstay-user';
const longestUser = 256;

/**
 * Whose requests a limit counts together: the key's id, the hash of a user within a key, the tenant, or the address.
 *
 * @returns undefined where there is nobody to count: a key of the operators has no tenant.
 * @throws Problem 400 for a user's name that is too long.
 */
export function subjectOf(per: Holder, request: HttpRequest, caller: Caller | undefined): string | undefined {
  if (per === 'address') return subjectOfAddress(request.sourceIp);
  if (caller === undefined) return undefined;
  if (per === 'tenant') return caller.tenant;
  return per === 'key' ? caller.keyId : userOf(request, caller);
}

function userOf({ headers }: HttpRequest, { keyId }: Caller): string {
  const user = headers[userHeader]?.trim() ?? '';
  if (user === '') return keyId;
  if (user.length > longestUser) {
    const message = `has more than ${longestUser} characters`;
    throw new Problem('invalid-request', `headers.${userHeader}: ${message}.`, {
      errors: [{ field: `headers.${userHeader}`, message }],
    });
  }
  // Hashed: the name may be an e-mail address, and is of no use to anybody here.
  return `${keyId}/${createHash('sha256').update(user).digest('base64url').slice(0, 22)}`;
}
