import { tenantIdSchema } from '../tenants/tenant.ts';
import type { TenantStore } from '../tenants/tenant-store.ts';
import type { DeliveryStore } from './delivery-store.ts';
import type { EndpointRecord } from './endpoint-record.ts';
import type { EndpointStore } from './endpoint-store.ts';
import type { PlatformEvent } from './events.ts';
import { matchesAny } from './filters.ts';
import { messageOf } from './message.ts';
import type { StartDelivery } from './start-delivery.ts';

export interface DispatchDependencies {
  readonly tenants: Pick<TenantStore, 'find'>;
  readonly endpoints: EndpointStore;
  readonly deliveries: DeliveryStore;
  readonly start: StartDelivery;
  readonly now: () => number;
}

/** Deliveries that are started at the same time. */
const atOnce = 10;

/**
 * Starts a delivery to every endpoint that is to be told of an event: the platform's own, and those of the tenant that the
 * event is about, while it is active. Seeing the event again starts nothing new.
 *
 * @returns how many there are.
 * @throws AggregateError when some could not be started; the others have been.
 */
export async function dispatchEvent(
  deps: DispatchDependencies,
  event: PlatformEvent,
  traceparent: string,
): Promise<number> {
  const message = messageOf(event);
  const told = (await candidates(deps, event)).filter(
    ({ state, events }) => state === 'enabled' && matchesAny(events, message.type),
  );
  const failures: unknown[] = [];
  for (let first = 0; first < told.length; first += atOnce) {
    const results = await Promise.allSettled(
      told.slice(first, first + atOnce).map(async ({ id }) => {
        const record = await deps.deliveries.ensure(id, message, traceparent, deps.now());
        if (record.state === 'queued') await deps.start(record);
      }),
    );
    for (const result of results) if (result.status === 'rejected') failures.push(result.reason);
  }
  if (failures.length > 0) {
    throw new AggregateError(failures, `${failures.length} of ${told.length} deliveries were not started`);
  }
  return told.length;
}

async function candidates(
  { tenants, endpoints }: DispatchDependencies,
  { detail }: PlatformEvent,
): Promise<EndpointRecord[]> {
  const tenantId = tenantIdSchema.safeParse(detail.tenantId).data;
  if (tenantId === undefined) return endpoints.ofOwner(null);
  const [ofPlatform, ofTenant, tenant] = await Promise.all([
    endpoints.ofOwner(null),
    endpoints.ofOwner(tenantId),
    tenants.find(tenantId),
  ]);
  return tenant?.state === 'active' ? [...ofPlatform, ...ofTenant] : ofPlatform;
}
