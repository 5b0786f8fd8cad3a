import { dynamo } from '../shared/clients.ts';
import { type EnvironmentSource, readEnvironment } from '../shared/environment.ts';
import { type Admission, type Arrival, type Call, type Gate, routeKeyOf } from '../shared/gate.ts';
import type { HttpAnswer } from '../shared/http-response.ts';
import { openEnvironment } from './environment.ts';
import { RequestLimits } from './limits/request-limits.ts';

/** Lets requests into a function all of whose routes are open: by their address, and as often as addresses may. */
export function openGate(source: EnvironmentSource): Gate {
  const environment = readEnvironment(openEnvironment, source);
  const limits = new RequestLimits({
    client: dynamo(),
    table: environment.LIMITS_TABLE,
    policy: environment.ACCESS_POLICY,
  });
  return {
    admit: (arrival) => admitByAddress(limits, arrival),
    once: async ({ route }: Call): Promise<HttpAnswer> => {
      throw new Error(`${routeKeyOf(route)} is open: nobody's requests can be told apart`);
    },
    record: async () => {},
  };
}

/**
 * Lets in whoever may call an open route.
 *
 * @throws Problem 403 or 429.
 */
export async function admitByAddress(
  limits: Pick<RequestLimits, 'checkAddress' | 'withoutKey'>,
  { request, route }: Arrival,
): Promise<Admission> {
  // What monitors ask has to be answered whatever else is down.
  if (route.uncounted === true) return { caller: undefined, headers: {} };
  await limits.checkAddress(request);
  return { caller: undefined, headers: { ...(await limits.withoutKey(request, route)) } };
}
