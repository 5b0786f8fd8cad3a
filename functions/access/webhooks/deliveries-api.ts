import { decodeTime } from 'ulid';
import * as z from 'zod';
import type { RouteHandlers } from '../../shared/http-handler.ts';
import { decodeToken, encodeToken } from '../../shared/paging.ts';
import { Problem } from '../../shared/problem.ts';
import type { Trace } from '../../shared/traceparent.ts';
import type { TenantStore } from '../tenants/tenant-store.ts';
import { type DeliveryRecord, hasEndedUntried, isOver, toDelivery, toSummary } from './delivery-record.ts';
import type { deliveryRoutes } from './delivery-routes.ts';
import { type DeliveryStore, maximumRuns } from './delivery-store.ts';
import type { EndpointRecord } from './endpoint-record.ts';
import type { EndpointStore } from './endpoint-store.ts';
import { findEndpoint, webhookPath } from './endpoints-api.ts';
import type { DeliveryId, WebhookId } from './ids.ts';
import { makeMessage } from './message.ts';
import type { StartDelivery } from './start-delivery.ts';
import { whyUntold } from './why-untold.ts';

export interface DeliveryApiDependencies {
  readonly tenants: Pick<TenantStore, 'find'>;
  readonly endpoints: EndpointStore;
  readonly deliveries: DeliveryStore;
  readonly start: StartDelivery;
  readonly now: () => number;
}

const positionSchema = z.string().max(100);

/** The routes of deliveries. */
export function deliveryHandlers(deps: DeliveryApiDependencies): RouteHandlers<typeof deliveryRoutes> {
  const { endpoints, deliveries, now } = deps;

  const find = async (webhookId: WebhookId, id: DeliveryId): Promise<DeliveryRecord> => {
    const record = await deliveries.find(webhookId, id);
    if (record === undefined) throw new Problem('not-found', 'There is no delivery of that id.');
    return record;
  };
  const requireTold = async (endpoint: EndpointRecord): Promise<void> => {
    const why = await whyUntold(deps, endpoint);
    if (why !== undefined) throw new Problem('conflict', why.message);
  };
  /** Queues a delivery anew. @throws Problem 409 */
  const replay = async (
    record: DeliveryRecord,
    workId: string,
    { traceparent }: Trace,
  ): Promise<DeliveryRecord> => {
    if (!(await deliveries.replay(record, { workId, traceparent, now: now() }))) {
      const why = isOver(record.state)
        ? `has been replayed ${maximumRuns - 1} times, or just now.`
        : `is ${record.state}: only one that has ended can be replayed.`;
      throw new Problem('conflict', `The delivery ${why}`);
    }
    return find(record.webhookId, record.id);
  };
  const run = async (record: DeliveryRecord) => {
    try {
      await deps.start(record);
    } catch (error) {
      const failure = { code: 'interrupted', message: 'Its execution could not be started.' };
      const finishedAt = new Date(now()).toISOString();
      const end = { state: 'failed', finishedAt, error: failure } as const;
      await deliveries.end(record.webhookId, record.id, record.run, end);
      throw error;
    }
    return {
      status: 202 as const,
      headers: { location: `${webhookPath(record.webhookId)}/deliveries/${record.id}` },
      body: toDelivery(record),
    };
  };

  return {
    testWebhook: async ({ params: { webhookId }, workId, trace, log }) => {
      await requireTold(await findEndpoint(endpoints, webhookId));
      const occurredAt = new Date(decodeTime(workId)).toISOString();
      const data = { version: 1, webhookId, message: 'This event was asked for by hand.' };
      const message = makeMessage(workId, 'webhook.test', occurredAt, data);
      const record = await deliveries.ensure(webhookId, message, trace.traceparent, now());
      log.info('Webhook is tested', { webhookId, deliveryId: record.id });
      // It was there when the request is repeated.
      return run(hasEndedUntried(record) ? await replay(record, workId, trace) : record);
    },

    listDeliveries: async ({ params: { webhookId }, query }) => {
      await findEndpoint(endpoints, webhookId);
      const { state, limit } = query;
      const before = decodeToken('deliveries', positionSchema, query.nextToken);
      const page = await deliveries.list(webhookId, { state, limit, before });
      const nextToken = page.next === undefined ? null : encodeToken('deliveries', page.next);
      return { status: 200, body: { deliveries: page.items.map(toSummary), nextToken } };
    },

    getDelivery: async ({ params: { webhookId, deliveryId } }) => {
      await findEndpoint(endpoints, webhookId);
      return { status: 200, body: toDelivery(await find(webhookId, deliveryId)) };
    },

    replayDelivery: async ({ params: { webhookId, deliveryId }, workId, trace, log }) => {
      const endpoint = await findEndpoint(endpoints, webhookId);
      const record = await find(webhookId, deliveryId);
      // A request that is repeated finds the run it asked for, unless that came to nothing.
      if (record.replayedFor === workId && !hasEndedUntried(record)) return run(record);
      await requireTold(endpoint);
      const replayed = await replay(record, workId, trace);
      log.info('Delivery is replayed', { webhookId, deliveryId, run: replayed.run });
      return run(replayed);
    },
  };
}
