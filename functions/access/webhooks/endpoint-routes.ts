import * as z from 'zod';
import type { RouteContract } from '../../shared/contract.ts';
import { pageQuery } from '../../shared/paging.ts';
import { tenantIdSchema } from '../tenants/tenant.ts';
import { filterSchema } from './filters.ts';
import { webhookIdSchema } from './ids.ts';
import { maximumEndpoints, webhookSchema, webhookStateSchema, webhookWithSecretSchema } from './model.ts';
import { webhookUrlSchema } from './url.ts';

const params = z.strictObject({ webhookId: webhookIdSchema });
const notFound = { description: 'No such webhook.' };
const badUrl = { description: 'The URL leads to an address that is not public.' };
const unique = (values: readonly string[]) => new Set(values).size === values.length;
const description = z.string().max(200);
const events = z
  .array(filterSchema)
  .min(1)
  .max(50)
  .refine(unique, 'names a filter twice')
  .meta({ examples: [['backup.*', 'alarm.changed']] });

/** The routes of endpoints. */
export const endpointRoutes = {
  createWebhook: {
    method: 'POST',
    path: '/api/access/webhooks',
    scope: 'admin',
    summary: 'Create a webhook',
    description: `From now on the URL is told of events, as Standard Webhooks 1.0.0 describes. The answer holds the secret that signs them; it is shown only this once. At most ${maximumEndpoints} for the platform, and as many for each tenant.`,
    once: { secrets: ['secret'] },
    body: z
      .strictObject({
        url: webhookUrlSchema,
        tenantId: tenantIdSchema.nullable().default(null).meta({
          description: 'Tell it only of events of this tenant. Default: of all events.',
        }),
        description: description.default(''),
        events: events.default(['*']),
      })
      .meta({ title: 'New webhook' }),
    responses: {
      201: {
        description: 'The webhook, with its secret.',
        schema: webhookWithSecretSchema,
        headers: { Location: 'Where it is.' },
      },
      409: { description: 'There are as many as there can be.' },
      422: { description: 'The URL leads to an address that is not public, or the tenant does not exist.' },
    },
  },
  listWebhooks: {
    method: 'GET',
    path: '/api/access/webhooks',
    scope: 'admin',
    summary: 'List webhooks, newest first',
    query: z.strictObject({
      ...pageQuery,
      tenantId: tenantIdSchema.optional().meta({ description: 'Only those of this tenant.' }),
    }),
    responses: {
      200: {
        description: 'One page.',
        schema: z
          .strictObject({ webhooks: z.array(webhookSchema), nextToken: z.string().nullable() })
          .meta({ title: 'Page of webhooks' }),
      },
    },
  },
  getWebhook: {
    method: 'GET',
    path: '/api/access/webhooks/{webhookId}',
    scope: 'admin',
    summary: 'One webhook',
    params,
    responses: { 200: { description: 'The webhook.', schema: webhookSchema }, 404: notFound },
  },
  updateWebhook: {
    method: 'PATCH',
    path: '/api/access/webhooks/{webhookId}',
    scope: 'admin',
    summary: 'Change, enable or disable a webhook',
    description:
      'What is not named stays. Disabling ends its deliveries; after enabling they can be replayed.',
    params,
    body: z
      .strictObject({
        url: webhookUrlSchema.optional(),
        description: description.optional(),
        events: events.optional(),
        state: webhookStateSchema.optional(),
      })
      .refine((changes) => Object.keys(changes).length > 0, 'names nothing to change')
      .meta({ title: 'Changes of a webhook' }),
    responses: { 200: { description: 'The webhook.', schema: webhookSchema }, 404: notFound, 422: badUrl },
  },
  deleteWebhook: {
    method: 'DELETE',
    path: '/api/access/webhooks/{webhookId}',
    scope: 'admin',
    summary: 'Delete a webhook',
    description: 'Its deliveries end, and cannot be seen any more.',
    params,
    responses: { 204: { description: 'Deleted.' }, 404: notFound },
  },
  rotateWebhookSecret: {
    method: 'POST',
    path: '/api/access/webhooks/{webhookId}/rotate-secret',
    scope: 'admin',
    summary: 'Give a webhook a new secret',
    description:
      'For a while both secrets sign, so that the receiver can change at any moment of it. A previous secret that still signs at the time of the request stops.',
    once: { secrets: ['secret'] },
    params,
    body: z
      .strictObject({
        overlapHours: z
          .int()
          .min(0)
          .max(168)
          .default(24)
          .meta({ description: 'How long the present secret signs as well.' }),
      })
      .meta({ title: 'Rotation of a secret' }),
    responses: {
      200: { description: 'The webhook, with its new secret.', schema: webhookWithSecretSchema },
      404: notFound,
      409: { description: 'Another request has just given it a new secret.' },
    },
  },
} as const satisfies Record<string, RouteContract>;
