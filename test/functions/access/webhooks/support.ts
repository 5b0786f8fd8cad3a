import { once } from 'node:events';
import type { Server } from 'node:net';
import type { AuditEntry } from '../../../../functions/access/audit/entry.ts';
import { type Tenant, tenantIdSchema } from '../../../../functions/access/tenants/tenant.ts';
import type { AttemptDependencies } from '../../../../functions/access/webhooks/attempt.ts';
import { DeliveryError } from '../../../../functions/access/webhooks/delivery-error.ts';
import type { DeliveryRecord } from '../../../../functions/access/webhooks/delivery-record.ts';
import { DeliveryStore } from '../../../../functions/access/webhooks/delivery-store.ts';
import type { EndpointRecord } from '../../../../functions/access/webhooks/endpoint-record.ts';
import { EndpointStore } from '../../../../functions/access/webhooks/endpoint-store.ts';
import type { PlatformEvent, WebhookDisabled } from '../../../../functions/access/webhooks/events.ts';
import { platformEventSchema } from '../../../../functions/access/webhooks/events.ts';
import { webhookIdSchema } from '../../../../functions/access/webhooks/ids.ts';
import type { Answer } from '../../../../functions/access/webhooks/post.ts';
import { generateSecret } from '../../../../functions/access/webhooks/sign.ts';
import { WebhooksTable } from '../../../../functions/access/webhooks/webhooks-table.ts';
import type { AttemptWork } from '../../../../functions/access/webhooks/workflow.ts';
import { newId } from '../../../../functions/shared/ids.ts';
import type { TestDynamo } from '../../shared/dynamodb.ts';

/** Starts a server on this machine, at a port that is free. */
export async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server does not listen');
  return address.port;
}

export const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
export const table = 'webhooks';
const start = Date.parse('2026-11-20T10:00:00Z');

/** Sealed secrets are bound to their endpoint here, too. */
export const secrets = {
  seal: async (id: string, secret: string) => Buffer.from(`${id} ${secret}`).toString('base64'),
  open: async (id: string, sealed: string) => {
    const [of, secret = ''] = Buffer.from(sealed, 'base64').toString().split(' ');
    if (of !== id) throw new Error('sealed for another endpoint');
    return secret;
  },
};

interface Sent {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** Webhooks over a real store, with a clock, a receiver and a workflow that a test controls. */
export class World {
  now = start;
  /** What the receiver does with the next request; default 200. */
  receive: (sent: Sent) => Partial<Answer> | DeliveryError = () => ({});
  readonly sent: Sent[] = [];
  readonly announced: WebhookDisabled[] = [];
  readonly recorded: AuditEntry[] = [];
  readonly started: string[] = [];
  /** Tenants that are not as others, which are active; `undefined`: deleted. */
  readonly states = new Map<string, Tenant['state'] | undefined>();
  readonly endpoints: EndpointStore;
  readonly deliveries: DeliveryStore;

  constructor(dynamo: TestDynamo) {
    const webhooks = new WebhooksTable(dynamo.client, table, () => this.now);
    this.endpoints = new EndpointStore(webhooks);
    this.deliveries = new DeliveryStore(webhooks);
  }

  get deps(): AttemptDependencies {
    return {
      tenants: { find: async (id) => this.tenant(id) },
      endpoints: this.endpoints,
      deliveries: this.deliveries,
      secrets,
      traceparent,
      send: async (url, headers, body) => {
        const sent = { url, headers, body };
        this.sent.push(sent);
        const answer = this.receive(sent);
        if (answer instanceof DeliveryError) throw answer;
        return { status: 200, text: '', retryAfter: undefined, ...answer };
      },
      record: async (entry) => {
        this.recorded.push(entry);
      },
      announce: async (detail) => {
        this.announced.push(detail);
      },
      disableAfterDays: 5,
      random: () => 0.5,
      now: () => this.now,
    };
  }

  tenant(id: string): Tenant | undefined {
    const state = this.states.has(id) ? this.states.get(id) : 'active';
    if (state === undefined) return undefined;
    const at = new Date(start).toISOString();
    return {
      id: tenantIdSchema.parse(id),
      name: id,
      tier: 'free',
      state,
      createdAt: at,
      updatedAt: at,
    };
  }

  readonly start = async ({ id, run }: DeliveryRecord) => {
    this.started.push(`${id}-${run}`);
  };

  async endpoint(changes: Partial<EndpointRecord> = {}): Promise<EndpointRecord & { plain: string }> {
    const id = webhookIdSchema.parse(newId(new Date(this.now)));
    const plain = generateSecret();
    const record: EndpointRecord = {
      id,
      tenantId: null,
      url: 'https://hooks.example/in',
      description: '',
      events: ['*'],
      state: 'enabled',
      createdAt: new Date(this.now).toISOString(),
      secret: await secrets.seal(id, plain),
      ...changes,
    };
    if (!(await this.endpoints.create(record))) throw new Error('The owner has no room');
    return { ...record, plain };
  }

  /** A delivery that waits for its first attempt. */
  async delivery({ id }: EndpointRecord): Promise<DeliveryRecord> {
    const occurredAt = new Date(this.now).toISOString();
    const message = {
      id: newId(),
      type: 'backup.completed',
      occurredAt,
      body: '{"type":"backup.completed"}',
    };
    return this.deliveries.ensure(id, message, traceparent, this.now);
  }
}

/** The first attempt of a delivery's present run. */
export const workOf = ({ id, webhookId, run }: DeliveryRecord): AttemptWork => ({
  webhookId,
  deliveryId: id,
  run,
  attempt: 1,
  traceparent,
});

/** An event on the platform's bus. */
export function busEvent(type: string, detail: Record<string, unknown> = {}): PlatformEvent {
  return platformEventSchema.parse({
    version: '0',
    id: crypto.randomUUID(),
    source: 'mainstay.recovery',
    account: '000000000000',
    region: 'us-east-1',
    resources: [],
    'detail-type': type,
    time: '2026-11-20T10:00:00Z',
    detail: { version: 1, at: '2026-11-20T09:59:59.500Z', traceparent, ...detail },
  });
}
