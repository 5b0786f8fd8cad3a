import type { RouteHandlers } from '../../shared/http-handler.ts';
import type { webhookRoutes } from './contract.ts';
import { type DeliveryApiDependencies, deliveryHandlers } from './deliveries-api.ts';
import { type EndpointApiDependencies, endpointHandlers } from './endpoints-api.ts';

export type WebhookApiDependencies = EndpointApiDependencies & DeliveryApiDependencies;

/** The routes of webhooks. */
export function webhookHandlers(deps: WebhookApiDependencies): RouteHandlers<typeof webhookRoutes> {
  return { ...endpointHandlers(deps), ...deliveryHandlers(deps) };
}
