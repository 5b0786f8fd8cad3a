import type { RouteContract } from '../shared/contract.ts';
import type { Caller } from '../shared/http-handler.ts';
import { Problem } from '../shared/problem.ts';
import { satisfies } from './scopes.ts';

/**
 * Whether a caller may use a route: the key has its scope, and a tenant's key uses only what tenants may.
 *
 * @throws Problem 403.
 */
export function authorize(caller: Caller, { scope, tenants = false }: RouteContract): void {
  if (!satisfies(caller.scopes, scope)) {
    throw new Problem('forbidden', `This needs a key with the scope \`${scope}\`.`, {
      extensions: { requiredScope: scope },
      headers: {
        'www-authenticate': `Bearer realm="mainstay", error="insufficient_scope", scope="${scope}"`,
      },
    });
  }
  if (caller.tenant !== undefined && !tenants) {
    throw new Problem(
      'forbidden',
      'This concerns the whole platform: the key of a tenant cannot be used for it.',
    );
  }
}
