import type { TenantStore } from '../tenants/tenant-store.ts';
import type { DeliveryFailure } from './delivery-record.ts';
import type { EndpointRecord } from './endpoint-record.ts';

/** Why an endpoint is told nothing at present; `undefined` when it is told. */
export async function whyUntold(
  { tenants }: { readonly tenants: Pick<TenantStore, 'find'> },
  endpoint: EndpointRecord | undefined,
): Promise<DeliveryFailure | undefined> {
  if (endpoint?.state !== 'enabled')
    return { code: 'endpoint-disabled', message: 'The webhook is disabled.' };
  if (endpoint.tenantId === null) return undefined;
  const tenant = await tenants.find(endpoint.tenantId);
  if (tenant === undefined) return { code: 'tenant-deleted', message: 'The webhook’s tenant was deleted.' };
  return tenant.state === 'active'
    ? undefined
    : { code: 'tenant-suspended', message: 'The webhook’s tenant is suspended.' };
}
