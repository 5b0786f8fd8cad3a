import * as z from 'zod';
import type { RouteContract } from '../../shared/contract.ts';
import { pageQuery } from '../../shared/paging.ts';
import { deliveryIdSchema, webhookIdSchema } from './ids.ts';
import { deliverySchema, deliveryStateSchema, deliverySummarySchema } from './model.ts';

const params = z.strictObject({ webhookId: webhookIdSchema });
const deliveryParams = z.strictObject({ webhookId: webhookIdSchema, deliveryId: deliveryIdSchema });
const notFound = { description: 'No such webhook.' };
const noDelivery = { description: 'No such webhook, or no such delivery of it; they are kept for 30 days.' };
const accepted = {
  description: 'Accepted.',
  schema: deliverySchema,
  headers: { Location: 'Where to follow the delivery.' },
};

/** The routes of deliveries. */
export const deliveryRoutes = {
  testWebhook: {
    method: 'POST',
    path: '/api/access/webhooks/{webhookId}/test',
    scope: 'admin',
    summary: 'Send a webhook an event of type `webhook.test`',
    description: 'Whatever its filters are. It is delivered like any other event.',
    once: {},
    params,
    responses: {
      202: accepted,
      404: notFound,
      409: { description: 'The webhook is disabled, or its tenant is suspended.' },
    },
  },
  listDeliveries: {
    method: 'GET',
    path: '/api/access/webhooks/{webhookId}/deliveries',
    scope: 'admin',
    summary: 'List the deliveries of a webhook, those of the newest events first',
    params,
    query: z.strictObject({
      ...pageQuery,
      state: deliveryStateSchema.optional().meta({ description: 'Only deliveries in this state.' }),
    }),
    responses: {
      200: {
        description: 'One page.',
        schema: z
          .strictObject({ deliveries: z.array(deliverySummarySchema), nextToken: z.string().nullable() })
          .meta({ title: 'Page of deliveries' }),
      },
      404: notFound,
    },
  },
  getDelivery: {
    method: 'GET',
    path: '/api/access/webhooks/{webhookId}/deliveries/{deliveryId}',
    scope: 'admin',
    summary: 'One delivery, with every attempt',
    params: deliveryParams,
    responses: { 200: { description: 'The delivery.', schema: deliverySchema }, 404: noDelivery },
  },
  replayDelivery: {
    method: 'POST',
    path: '/api/access/webhooks/{webhookId}/deliveries/{deliveryId}/replay',
    scope: 'admin',
    summary: 'Deliver again',
    description: 'The same message with the same `webhook-id`, with all attempts anew.',
    once: {},
    params: deliveryParams,
    responses: {
      202: accepted,
      404: noDelivery,
      409: {
        description:
          'It has not ended, the webhook is disabled, its tenant is suspended, or it has been replayed nine times.',
      },
    },
  },
} as const satisfies Record<string, RouteContract>;
