import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import * as z from 'zod';
import { AuditTrail } from '../../functions/access/audit/audit-trail.ts';
import { authenticator } from '../../functions/access/authenticate.ts';
import { makeGate } from '../../functions/access/gate.ts';
import { Idempotency } from '../../functions/access/idempotency/idempotency.ts';
import { generateKey, hashKey } from '../../functions/access/keys/api-keys.ts';
import { KeyStore } from '../../functions/access/keys/key-store.ts';
import { KeyUse } from '../../functions/access/keys/key-use.ts';
import { RequestLimits } from '../../functions/access/limits/request-limits.ts';
import { accessPolicySchema } from '../../functions/access/policy.ts';
import { TenantStore } from '../../functions/access/tenants/tenant-store.ts';
import { defineContract } from '../../functions/shared/contract.ts';
import type { Gate } from '../../functions/shared/gate.ts';
import { httpFunction } from '../../functions/shared/http-function.ts';
import type { HttpHandlers } from '../../functions/shared/http-handler.ts';
import { clientOf, tables } from '../limits/store.ts';
import type { Mode } from './lane.ts';

type Handler = (event: APIGatewayProxyEventV2, context: Context) => Promise<unknown>;

const contract = defineContract({
  name: 'bench',
  title: 'Bench',
  description: '',
  routes: {
    list: {
      method: 'GET',
      path: '/things',
      scope: 'recovery:read',
      summary: 'Things',
      query: z.strictObject({ limit: z.coerce.number().int().min(1).max(100).default(20) }),
      responses: { 200: { description: 'Things.', schema: z.strictObject({ limit: z.int() }) } },
    },
  },
  functions: { api: { environment: z.object({}) } },
});

const caller = { keyId: 'abcdefgh', name: 'bench', scopes: ['admin'], tier: 'enterprise' } as const;

/** Lets everybody in, without a question to anybody. */
const openDoor: Gate = {
  admit: async () => ({ caller, headers: {} }),
  once: (_call, handle) => handle(),
  record: async () => {},
};

/** The same answer in each mode; `key` is good at the gate, `questions` counts the calls of the store. */
export async function handlerOf(
  mode: Mode,
  url: string,
): Promise<{ handler: Handler; key: string; questions: () => number; close: () => void }> {
  const base = clientOf(url);
  let asked = 0;
  base.middlewareStack.add(
    (next) => (input) => {
      asked++;
      return next(input);
    },
    { step: 'initialize' },
  );
  const { key, gate } = await gateOn(DynamoDBDocumentClient.from(base));
  const behind = (door: Gate) =>
    httpFunction({
      contract,
      functionContract: contract.functions.api,
      gate: () => door,
      environment: {},
      handlers: (): HttpHandlers<typeof contract> => ({
        list: ({ query }) => ({ status: 200, body: { limit: query.limit } }),
      }),
    });
  const handlers: Readonly<Record<Mode, () => Handler>> = {
    bare: () => async (event) => ({
      statusCode: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ limit: Number(new URLSearchParams(event.rawQueryString).get('limit')) }),
    }),
    stack: () => behind(openDoor),
    gate: () => behind(gate),
  };
  return { handler: handlers[mode](), key, questions: () => asked, close: () => base.destroy() };
}

async function gateOn(client: DynamoDBDocumentClient): Promise<{ key: string; gate: Gate }> {
  const table = tables.own;
  const pepper = 'of a benchmark';
  const keys = new KeyStore(client, table);
  const { id, key } = generateKey();
  await keys.create({
    id,
    hash: hashKey(pepper, key),
    name: 'bench',
    scopes: ['recovery:read'],
    tier: 'enterprise',
    state: 'active',
    createdAt: new Date().toISOString(),
  });
  const limits = new RequestLimits({ client, table, policy: accessPolicySchema.parse({}) });
  const gate = makeGate({
    authenticate: authenticator({
      keys,
      tenants: new TenantStore(client, table),
      pepper: async () => pepper,
      beforeLookup: (request) => limits.beforeLookup(request),
    }),
    limits,
    use: new KeyUse(client, table, Date.now),
    audit: new AuditTrail({ client, table, now: Date.now, retentionDays: 1 }),
    idempotency: new Idempotency({ client, table, hours: 1 }),
    now: Date.now,
  });
  return { key, gate };
}
