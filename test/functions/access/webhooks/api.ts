import { monotonicFactory } from 'ulid';
import * as z from 'zod';
import { webhookRoutes } from '../../../../functions/access/webhooks/contract.ts';
import { DeliveryError } from '../../../../functions/access/webhooks/delivery-error.ts';
import { webhookIdSchema } from '../../../../functions/access/webhooks/ids.ts';
import { webhookHandlers } from '../../../../functions/access/webhooks/webhooks-api.ts';
import { defineContract } from '../../../../functions/shared/contract.ts';
import { httpFunction } from '../../../../functions/shared/http-function.ts';
import { httpEvent, lambdaContext } from '../../shared/lambda.ts';
import { secrets, type World } from './support.ts';

const contract = defineContract({
  name: 'access',
  title: 'Access',
  description: 'Webhooks.',
  routes: webhookRoutes,
  functions: { api: { environment: z.object({}) } },
});

export const base = '/api/access/webhooks';
export const url = 'https://hooks.example/in';
/** Items of a list, of which a test looks at some members. */
export const itemsSchema = z.array(z.looseObject({ id: z.string() }));

/** The API of webhooks, called as an operator by way of the shared stack. */
export class Api {
  readonly world: World;
  /** What starting an execution throws. */
  startFails: Error | undefined;
  /** Of the next requests, as if they were one that is repeated. Default: each has its own. */
  workId: string | undefined;
  readonly #next = monotonicFactory();

  constructor(world: World) {
    this.world = world;
  }

  async send(method: string, path: string, body?: unknown) {
    const [plain = '', query = ''] = path.split('?');
    const params = Object.fromEntries(
      [...plain.matchAll(/\/(webhooks|deliveries)\/([^/]+)/g)].map(([, kind, id = '']) => [
        kind === 'webhooks' ? 'webhookId' : 'deliveryId',
        id,
      ]),
    );
    const route = Object.entries(params).reduce((text, [name, id]) => text.replace(id, `{${name}}`), plain);
    const { world } = this;
    const handler = httpFunction({
      contract,
      functionContract: contract.functions.api,
      environment: {},
      gate: () => ({
        admit: async () => ({
          caller: { keyId: 'abcdefgh', name: 'Test', scopes: ['admin'], tier: 'free' },
          headers: {},
        }),
        once: async (_call, handle) => handle(this.workId ?? this.#next(world.now)),
        record: async () => {},
      }),
      handlers: () =>
        webhookHandlers({
          endpoints: world.endpoints,
          deliveries: world.deliveries,
          secrets,
          checkUrl: async (url) => {
            if (url.includes('internal')) {
              throw new DeliveryError('address-not-allowed', 'The host has an address that is not public.');
            }
          },
          tenants: { find: async (id) => (id.startsWith('acme') ? world.tenant(id) : undefined) },
          start: async (record) => {
            if (this.startFails !== undefined) throw this.startFails;
            await world.start(record);
          },
          now: () => world.now,
        }),
    });
    const event = httpEvent({
      method,
      path: plain,
      routeKey: `${method} ${route}`,
      params,
      query,
      headers: { 'idempotency-key': 'a key' },
      ...(body === undefined ? {} : { body }),
    });
    const { statusCode, headers = {}, body: text = '' } = await handler(event, lambdaContext());
    const json: Record<string, unknown> = text === '' ? {} : JSON.parse(text);
    return { status: statusCode, headers, json };
  }

  async create(body: Record<string, unknown> = {}) {
    const { json } = await this.send('POST', base, { url, ...body });
    return { id: webhookIdSchema.parse(json.id), secret: z.string().parse(json.secret) };
  }
}
