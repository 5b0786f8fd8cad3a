import { Problem } from '../../shared/problem.ts';
import type { KeyStore } from '../keys/key-store.ts';
import type { Tenant, TenantId } from './tenant.ts';
import type { TenantStore } from './tenant-store.ts';

export interface DeleteTenantDependencies {
  readonly tenants: TenantStore;
  readonly keys: Pick<KeyStore, 'find'>;
  /** Why a tenant cannot be deleted besides its keys, as a sentence for the caller; `undefined` when it can. */
  readonly inUse: (tenantId: TenantId) => Promise<string | undefined>;
}

export const noSuchTenant = () => new Problem('not-found', 'There is no tenant of this id.');

/**
 * Deletes a tenant that has nothing any more. A key that is made at the same time prevents it.
 *
 * @returns the tenant as it was.
 * @throws Problem 404, or 409 naming what it still has.
 */
export async function deleteTenant(deps: DeleteTenantDependencies, id: TenantId): Promise<Tenant> {
  const { tenants, inUse } = deps;
  if ((await tenants.find(id)) === undefined) throw noSuchTenant();
  await forgetRevoked(deps, id);
  const reason = await inUse(id);
  if (reason !== undefined) throw new Problem('conflict', reason);
  const deleted = await tenants.remove(id);
  if (deleted !== undefined) return deleted;
  if ((await tenants.find(id)) === undefined) throw noSuchTenant();
  throw new Problem('conflict', 'A key of the tenant was made at the same time.');
}

/** Finishes revocations that were left half-way. @throws Problem 409 for a key that is not revoked. */
async function forgetRevoked({ tenants, keys }: DeleteTenantDependencies, id: TenantId): Promise<void> {
  const held = await tenants.keys.held(id);
  for (const keyId of held) {
    const key = await keys.find(keyId);
    if (key !== undefined && key.state !== 'revoked') {
      throw new Problem(
        'conflict',
        `The tenant has API keys that are not revoked, for example ${keyId}. Revoke them first (DELETE /api/access/keys/{keyId}).`,
      );
    }
    await tenants.keys.release(id, keyId);
  }
}
