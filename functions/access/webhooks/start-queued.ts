import type { DeliveryStore } from './delivery-store.ts';
import type { EndpointStore } from './endpoint-store.ts';
import type { StartDelivery } from './start-delivery.ts';

export interface StartQueuedDependencies {
  readonly endpoints: Pick<EndpointStore, 'list'>;
  readonly deliveries: Pick<DeliveryStore, 'list'>;
  readonly start: StartDelivery;
  /** Whether there is time for one more endpoint. */
  readonly hasTime: () => boolean;
}

const pageSize = 100;
/** Queued deliveries of one endpoint that are looked at, newest first. */
const lookedAt = 100;

/**
 * Starts the runs that are queued and had no attempt yet: a function that was stopped after it had queued one leaves it without
 * an execution. A run that has one is named as that, and nothing is started for it.
 *
 * @returns how many were looked at.
 */
export async function startQueued({
  endpoints,
  deliveries,
  start,
  hasTime,
}: StartQueuedDependencies): Promise<number> {
  let found = 0;
  let before: string | undefined;
  do {
    const page = await endpoints.list(pageSize, before);
    for (const { id } of page.items) {
      if (!hasTime()) return found;
      const queued = await deliveries.list(id, { state: 'queued', limit: lookedAt, before: undefined });
      for (const record of queued.items) {
        if (record.attempt > 0) continue;
        await start(record);
        found++;
      }
    }
    before = page.next;
  } while (before !== undefined);
  return found;
}
