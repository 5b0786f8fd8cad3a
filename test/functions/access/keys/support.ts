import '../../shared/output.ts';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import * as z from 'zod';
import { AdminKeys } from '../../../../functions/access/keys/admin-keys.ts';
import { keyRoutes } from '../../../../functions/access/keys/contract.ts';
import { newKeySchema } from '../../../../functions/access/keys/key.ts';
import { KeyStore } from '../../../../functions/access/keys/key-store.ts';
import { KeyUse } from '../../../../functions/access/keys/key-use.ts';
import { keyHandlers } from '../../../../functions/access/keys/keys-api.ts';
import { tenantRoutes } from '../../../../functions/access/tenants/contract.ts';
import { TenantStore } from '../../../../functions/access/tenants/tenant-store.ts';
import { tenantHandlers } from '../../../../functions/access/tenants/tenants-api.ts';
import { Announcer } from '../../../../functions/shared/announcer.ts';
import { defineContract, type RouteContract } from '../../../../functions/shared/contract.ts';
import type { Gate } from '../../../../functions/shared/gate.ts';
import { httpFunction } from '../../../../functions/shared/http-function.ts';
import type { Caller, HttpHandlers } from '../../../../functions/shared/http-handler.ts';
import { startDynamo } from '../../shared/dynamodb.ts';
import { startFakeAws } from '../../shared/fake-aws.ts';
import { httpEvent, lambdaContext } from '../../shared/lambda.ts';
import { takeRecords } from '../../shared/output.ts';

export const pepper = 'a pepper of the tests';
export const operator: Caller = {
  keyId: 'operator',
  name: 'Operator',
  scopes: ['admin'],
  tier: 'enterprise',
};

const contract = defineContract({
  name: 'access',
  title: 'Access',
  description: 'Tenants and keys alone.',
  routes: { ...keyRoutes, ...tenantRoutes },
  functions: { api: { environment: z.object({}) } },
});
type RouteName = keyof typeof contract.routes;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** What the contract says it is, or problem details. */
  readonly body: Readonly<Record<string, unknown>>;
}

interface Request {
  params?: Record<string, string>;
  query?: string;
  body?: unknown;
  caller?: Caller;
  /** As if it were a request that is repeated. Default: each has its own. */
  workId?: string;
}

const eventSchema = z.object({ Source: z.string(), DetailType: z.string(), Detail: z.string() });

/** Tenants and keys behind the shared stack, on a DynamoDB and a bus of their own; whoever calls is let in. */
export async function startAccess() {
  const dynamo = await startDynamo('access', 'limits');
  const bus = { down: false };
  const aws = await startFakeAws(() =>
    bus.down ? { status: 400, body: { __type: 'AccessDenied' } } : { body: { FailedEntryCount: 0 } },
  );
  const client = new EventBridgeClient(aws.settings);
  const clock = { now: Date.parse('2026-11-20T10:00:00Z') };
  const now = () => clock.now;
  const busy = new Map<string, string>();
  const keys = new KeyStore(dynamo.client, 'access');
  const deps = {
    keys,
    tenants: new TenantStore(dynamo.client, 'access'),
    admins: new AdminKeys(dynamo.client, 'access', keys),
    use: new KeyUse(dynamo.client, 'limits', now),
    pepper: async () => pepper,
    announcer: new Announcer(client, 'platform'),
    now,
    inUse: async (tenantId: string) => busy.get(tenantId),
  };
  let calling = operator;
  let working: string | undefined;
  const gate: Gate = {
    admit: async () => ({ caller: calling, headers: {} }),
    once: (_call, handle) => handle(working),
    record: async () => {},
  };
  const handler = httpFunction({
    contract,
    functionContract: contract.functions.api,
    gate: () => gate,
    handlers: (): HttpHandlers<typeof contract> => ({ ...keyHandlers(deps), ...tenantHandlers(deps) }),
  });

  const call = async (name: RouteName, request: Request = {}): Promise<Answer> => {
    const { params = {}, query, body, caller = operator, workId } = request;
    const route: RouteContract = contract.routes[name];
    calling = caller;
    working = workId;
    const event = httpEvent({
      method: route.method,
      routeKey: `${route.method} ${route.path}`,
      params,
      headers: { 'idempotency-key': 'a key' },
      ...(query === undefined ? {} : { query }),
      ...(body === undefined ? {} : { body }),
    });
    const { statusCode = 0, headers = {}, body: text = '{}' } = await handler(event, lambdaContext());
    const answered = z.record(z.string(), z.unknown()).parse(JSON.parse(text));
    route.responses[statusCode]?.schema?.parse(answered);
    return { status: statusCode, headers, body: answered };
  };

  return {
    ...deps,
    call,
    clock,
    dynamo,
    bus,
    /** Why tenants cannot be deleted. */
    busy,
    /** The events since the last call. */
    takeEvents: () =>
      aws.calls
        .splice(0)
        .flatMap(({ input }) => z.array(eventSchema).parse(input.Entries))
        .map(({ Source, DetailType, Detail }) => ({
          source: Source,
          name: DetailType,
          detail: JSON.parse(Detail),
        })),
    takeLog: takeRecords,
    /** Makes a key by the API. */
    make: async (body: object = {}) => {
      const answer = await call('createKey', { body: { name: 'A key', scopes: ['recovery:read'], ...body } });
      return newKeySchema.parse(answer.body);
    },
    stop: async () => {
      client.destroy();
      await dynamo.stop();
      await aws.stop();
    },
  };
}
export type Access = Awaited<ReturnType<typeof startAccess>>;
