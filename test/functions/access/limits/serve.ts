import * as z from 'zod';
import { addressHandlers } from '../../../../functions/access/addresses/addresses-api.ts';
import { addressRoutes } from '../../../../functions/access/addresses/contract.ts';
import { limitRoutes } from '../../../../functions/access/limits/contract.ts';
import { limitHandlers } from '../../../../functions/access/limits/limits-api.ts';
import { defineContract, type RouteContract } from '../../../../functions/shared/contract.ts';
import type { Gate } from '../../../../functions/shared/gate.ts';
import { httpFunction } from '../../../../functions/shared/http-function.ts';
import type { HttpHandlers } from '../../../../functions/shared/http-handler.ts';
import { httpEvent, lambdaContext, type RequestParts } from '../../shared/lambda.ts';
import { newCaller } from './samples.ts';

const contract = defineContract({
  name: 'access',
  title: 'Access',
  description: 'Limits and addresses alone.',
  routes: { ...limitRoutes, ...addressRoutes },
  functions: { api: { environment: z.object({}) } },
});
type Dependencies = Parameters<typeof limitHandlers>[0] & Parameters<typeof addressHandlers>[0];

const letIn: Gate = {
  admit: async () => ({ caller: newCaller({ keyId: 'operator' }), headers: {} }),
  once: (_call, handle) => handle(),
  record: async () => {},
};

/** The routes of limits and addresses behind the shared stack; whoever calls is let in. */
export function serve(deps: Dependencies) {
  const fn = httpFunction({
    contract,
    functionContract: contract.functions.api,
    handlers: (): HttpHandlers<typeof contract> => ({ ...limitHandlers(deps), ...addressHandlers(deps) }),
    gate: () => letIn,
    environment: {},
  });
  return async (
    name: keyof typeof contract.routes,
    parts: RequestParts = {},
  ): Promise<{ status: number; body: Record<string, unknown> }> => {
    const { method, path, responses }: RouteContract = contract.routes[name];
    const { statusCode = 0, body = '{}' } = await fn(httpEvent({ method, path, ...parts }), lambdaContext());
    const answered = z.record(z.string(), z.unknown()).parse(JSON.parse(body));
    responses[statusCode]?.schema?.parse(answered);
    return { status: statusCode, body: answered };
  };
}
