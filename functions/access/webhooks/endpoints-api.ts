import * as z from 'zod';
import type { RouteHandlers } from '../../shared/http-handler.ts';
import { decodeToken, encodeToken } from '../../shared/paging.ts';
import { Problem } from '../../shared/problem.ts';
import type { TenantStore } from '../tenants/tenant-store.ts';
import { DeliveryError } from './delivery-error.ts';
import { type EndpointRecord, toWebhook } from './endpoint-record.ts';
import type { endpointRoutes } from './endpoint-routes.ts';
import type { EndpointStore } from './endpoint-store.ts';
import { type WebhookId, webhookIdSchema } from './ids.ts';
import { maximumEndpoints } from './model.ts';
import type { SecretBox } from './secret-box.ts';
import { generateSecret } from './sign.ts';

export interface EndpointApiDependencies {
  readonly endpoints: EndpointStore;
  readonly secrets: Pick<SecretBox, 'seal'>;
  /** Finds out where a URL leads. @throws DeliveryError when that may not be called. */
  readonly checkUrl: (url: string) => Promise<unknown>;
  readonly tenants: Pick<TenantStore, 'find'>;
  readonly now: () => number;
}

const positionSchema = z.string().max(100);

export const noSuchWebhook = () => new Problem('not-found', 'There is no webhook of that id.');
const otherSecret = () =>
  new Problem('conflict', 'Another request has given the webhook a new secret meanwhile.');
export const webhookPath = (id: WebhookId) => `/api/access/webhooks/${id}`;

/** The endpoint of that id. @throws Problem 404 */
export async function findEndpoint(endpoints: EndpointStore, id: WebhookId): Promise<EndpointRecord> {
  const record = await endpoints.find(id);
  if (record === undefined) throw noSuchWebhook();
  return record;
}

/** The routes of endpoints. */
export function endpointHandlers(deps: EndpointApiDependencies): RouteHandlers<typeof endpointRoutes> {
  const { endpoints, secrets, now } = deps;
  const shown = (record: EndpointRecord) => toWebhook(record, now());

  return {
    createWebhook: async ({ body, workId, log }) => {
      const { tenantId, description, events } = body;
      if (tenantId !== null && (await deps.tenants.find(tenantId)) === undefined) {
        throw unprocessable('body.tenantId', 'names no tenant');
      }
      const url = await allowedUrl(deps, body.url);
      const id = webhookIdSchema.parse(workId);
      const secret = generateSecret();
      const record: EndpointRecord = {
        id,
        tenantId,
        url,
        description,
        events,
        state: 'enabled',
        createdAt: new Date(now()).toISOString(),
        secret: await secrets.seal(id, secret),
      };
      if (!(await endpoints.create(record))) {
        const whose = tenantId === null ? 'The platform' : 'The tenant';
        throw new Problem('conflict', `${whose} has ${maximumEndpoints} webhooks, and can have no more.`);
      }
      const created = await findEndpoint(endpoints, id);
      if (created.secret !== record.secret) {
        // It was there when the request is repeated. Unless it was rotated since, nobody has been shown its secret.
        const { rotatedFor = workId } = created;
        const rotation = { secret: record.secret, workId, previousUntil: undefined };
        if (rotatedFor !== workId || !(await endpoints.rotate(created, rotation))) throw otherSecret();
      }
      log.info('Webhook created', { webhookId: id });
      return { status: 201, headers: { location: webhookPath(id) }, body: { ...shown(created), secret } };
    },

    listWebhooks: async ({ query: { tenantId, limit, nextToken: token } }) => {
      const before = decodeToken('webhooks', positionSchema, token);
      const page =
        tenantId === undefined
          ? await endpoints.list(limit, before)
          : pageOf(await endpoints.ofOwner(tenantId), limit, before);
      const nextToken = page.next === undefined ? null : encodeToken('webhooks', page.next);
      return { status: 200, body: { webhooks: page.items.map(shown), nextToken } };
    },

    getWebhook: async ({ params }) => ({
      status: 200,
      body: shown(await findEndpoint(endpoints, params.webhookId)),
    }),

    updateWebhook: async ({ params: { webhookId }, body, log }) => {
      await findEndpoint(endpoints, webhookId);
      const { state, ...changes } = body;
      const url = body.url === undefined ? {} : { url: await allowedUrl(deps, body.url) };
      await endpoints.change(webhookId, { ...changes, ...url });
      if (state === 'enabled') await endpoints.enable(webhookId);
      if (state === 'disabled') {
        const at = new Date(now()).toISOString();
        await endpoints.disable(webhookId, { code: 'manual', message: 'Through the API.', at });
      }
      log.info('Webhook changed', { webhookId, changed: Object.keys(body) });
      return { status: 200, body: shown(await findEndpoint(endpoints, webhookId)) };
    },

    deleteWebhook: async ({ params, log }) => {
      const record = await findEndpoint(endpoints, params.webhookId);
      if (!(await endpoints.remove(record))) throw noSuchWebhook();
      log.info('Webhook deleted', { webhookId: record.id });
      return { status: 204 };
    },

    rotateWebhookSecret: async ({ params, body: { overlapHours }, workId, log }) => {
      const record = await findEndpoint(endpoints, params.webhookId);
      const secret = generateSecret();
      const sealed = await secrets.seal(record.id, secret);
      const previousUntil =
        overlapHours === 0 ? undefined : new Date(now() + overlapHours * 3_600_000).toISOString();
      if (!(await endpoints.rotate(record, { secret: sealed, workId, previousUntil }))) throw otherSecret();
      log.info('Webhook secret rotated', { webhookId: record.id, overlapHours });
      const rotated = await findEndpoint(endpoints, record.id);
      return { status: 200, body: { ...shown(rotated), secret } };
    },
  };
}

async function allowedUrl({ checkUrl }: EndpointApiDependencies, text: string): Promise<string> {
  const { href } = new URL(text);
  try {
    await checkUrl(href);
    return href;
  } catch (error) {
    if (error instanceof DeliveryError) throw unprocessable('body.url', error.message);
    throw error;
  }
}

function unprocessable(field: string, message: string): Problem {
  return new Problem('unprocessable-request', `${field}: ${message}`, { errors: [{ field, message }] });
}

/** A page of what is in memory, its position the id of the last one. */
function pageOf(records: readonly EndpointRecord[], limit: number, before: string | undefined) {
  const rest = records.filter(({ id }) => before === undefined || id < before);
  const items = rest.slice(0, limit);
  return { items, next: rest.length > limit ? items.at(-1)?.id : undefined };
}
