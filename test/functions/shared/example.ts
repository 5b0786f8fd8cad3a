import * as z from 'zod';
import { defineContract } from '../../../functions/shared/contract.ts';
import type { Gate } from '../../../functions/shared/gate.ts';
import { httpFunction } from '../../../functions/shared/http-function.ts';
import type { HttpHandlers } from '../../../functions/shared/http-handler.ts';
import { Problem } from '../../../functions/shared/problem.ts';

/** A capability that has one route of each sort, to try the shared stack with. */
export const exampleContract = defineContract({
  name: 'example',
  title: 'Example',
  description: 'Things.',
  routes: {
    ping: {
      method: 'GET',
      path: '/ping',
      scope: 'open',
      summary: 'Answers',
      responses: { 200: { description: 'Here.', contentType: 'text/plain' } },
    },
    list: {
      method: 'GET',
      path: '/things',
      scope: 'recovery:read',
      summary: 'Things',
      query: z.strictObject({ limit: z.coerce.number().int().min(1).max(10).default(5) }),
      responses: { 200: { description: 'Things.', schema: z.strictObject({ limit: z.int() }) } },
    },
    create: {
      method: 'POST',
      path: '/things/{thingId}',
      scope: 'recovery:write',
      once: {},
      summary: 'Creates a thing',
      params: z.strictObject({ thingId: z.string().regex(/^[a-z]{1,8}$/) }),
      body: z.strictObject({
        type: z.enum(['small', 'large']),
        size: z.strictObject({ width: z.number().min(0) }).optional(),
      }),
      responses: {
        201: {
          description: 'Created.',
          schema: z.strictObject({ thingId: z.string(), type: z.string(), by: z.string() }),
          headers: { Location: 'Where it is.' },
        },
      },
    },
    defaults: {
      method: 'POST',
      path: '/defaults',
      scope: 'open',
      summary: 'Has a body of which nothing is required',
      body: z.strictObject({ type: z.literal('small').default('small') }),
      responses: { 200: { description: 'What it took.', schema: z.strictObject({ type: z.string() }) } },
    },
    act: {
      method: 'POST',
      path: '/act',
      scope: 'open',
      summary: 'Takes no body',
      responses: { 204: { description: 'Done.' } },
    },
    fail: {
      method: 'POST',
      path: '/fail',
      scope: 'open',
      summary: 'Fails in the way that is asked for',
      body: z.strictObject({ how: z.enum(['error', 'problem', 'throttled', 'slow']) }),
      responses: { 204: { description: 'Never.' } },
    },
  },
  functions: { api: { environment: z.object({ GREETING: z.string() }) } },
});

export const secretInAnError = 'msk_abcdefgh_0123456789012345678901234567890123456789012';

/** What the example's gate gives to handlers of requests with an `Idempotency-Key`. */
export const workIdOfGate = '01K9Z3V5Q0J8X7N2T4R6M1C9HB';

/** What the example's gate was asked to do, in order. */
export const gateLog: unknown[] = [];

/** Lets everybody in who names a key. */
const gate: Gate = {
  admit: async ({ request, route }) => {
    const headers = { ratelimit: '"example";r=9;t=60' };
    if (route.scope === 'open') return { caller: undefined, headers };
    if (request.headers['x-api-key'] === undefined) throw new Problem('unauthorized', 'No key.');
    const caller = {
      keyId: 'abcdefgh',
      name: 'A key',
      scopes: ['admin' as const],
      tier: 'free' as const,
      tenant: 'tenant-1',
    };
    return { caller, headers };
  },
  once: ({ request, input }, handle) => {
    gateLog.push({ once: request.headers['idempotency-key'], input });
    return handle(workIdOfGate);
  },
  record: async ({ route }, answer) => {
    gateLog.push({ record: route.path, ...answer });
  },
};

/** The example's Lambda handler; `seen` collects what its handlers were called with. */
export function exampleFunction(seen: unknown[] = []) {
  return httpFunction({
    contract: exampleContract,
    functionContract: exampleContract.functions.api,
    gate: () => gate,
    environment: { GREETING: 'hello' },
    handlers: ({ GREETING }): HttpHandlers<typeof exampleContract> => ({
      ping: () => ({ status: 200, body: GREETING }),
      list: ({ query }) => {
        seen.push(query);
        return { status: 200, body: { limit: query.limit } };
      },
      create: async ({ params, body, caller, workId }) => {
        seen.push({ params, body, workId });
        return {
          status: 201,
          headers: { location: `/things/${params.thingId}` },
          body: { thingId: params.thingId, type: body.type, by: caller.keyId },
        };
      },
      defaults: ({ body }) => ({ status: 200, body }),
      act: ({ log }) => {
        log.info('Acting');
        return { status: 204 };
      },
      fail: async ({ body }) => {
        if (body.how === 'problem') {
          throw new Problem('conflict', 'It runs already.', { extensions: { runningId: 'x1' } });
        }
        if (body.how === 'throttled') {
          throw Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
        }
        if (body.how === 'slow') await new Promise(() => {});
        throw new Error(`cannot open /var/task/secret with ${secretInAnError}`);
      },
    }),
  });
}
