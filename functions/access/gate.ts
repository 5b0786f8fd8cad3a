import type { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { dynamo, secretsManager } from '../shared/clients.ts';
import { type EnvironmentSource, readEnvironment } from '../shared/environment.ts';
import { type Admission, type Arrival, type Gate, routeKeyOf } from '../shared/gate.ts';
import type { Caller } from '../shared/http-handler.ts';
import { logger } from '../shared/instrumentation.ts';
import { Problem } from '../shared/problem.ts';
import { type AuditEntry, AuditTrail } from './audit/audit-trail.ts';
import { authenticator, Unauthorized } from './authenticate.ts';
import { authorize } from './authorize.ts';
import { gateEnvironment } from './environment.ts';
import { Idempotency } from './idempotency/idempotency.ts';
import { KeyStore } from './keys/key-store.ts';
import { KeyUse } from './keys/key-use.ts';
import { RequestLimits } from './limits/request-limits.ts';
import { admitByAddress } from './open-gate.ts';
import { pepperReader } from './pepper.ts';
import { TenantStore } from './tenants/tenant-store.ts';

/** Of this capability, whichever function the gate is in: one alarm watches all. */
const metrics = new Metrics({ serviceName: 'access' });

/** The parts of a gate. */
export interface GateParts {
  readonly authenticate: ReturnType<typeof authenticator>;
  readonly limits: Pick<
    RequestLimits,
    'checkAddress' | 'withoutKey' | 'beforeLookup' | 'failed' | 'ofCaller'
  >;
  readonly use: Pick<KeyUse, 'note'>;
  readonly audit: Pick<AuditTrail, 'append'>;
  readonly idempotency: Pick<Idempotency, 'run'>;
  readonly now: () => number;
}

/** The gate of every function with a route that is not open, with the tables and secrets of its environment. */
export function gate(source: EnvironmentSource): Gate {
  const environment = readEnvironment(gateEnvironment, source);
  const client = dynamo();
  const policy = environment.ACCESS_POLICY;
  const now = Date.now;
  const limits = new RequestLimits({ client, table: environment.LIMITS_TABLE, policy });
  return makeGate({
    authenticate: authenticator({
      keys: new KeyStore(client, environment.ACCESS_TABLE),
      tenants: new TenantStore(client, environment.ACCESS_TABLE),
      pepper: pepperReader(secretsManager(), environment.KEY_PEPPER_SECRET_ARN),
      beforeLookup: (request) => limits.beforeLookup(request),
    }),
    limits,
    use: new KeyUse(client, environment.LIMITS_TABLE, now),
    audit: new AuditTrail({
      client,
      table: environment.AUDIT_TABLE,
      now,
      retentionDays: environment.AUDIT_DAYS,
    }),
    idempotency: new Idempotency({
      client,
      table: environment.IDEMPOTENCY_TABLE,
      hours: policy.idempotencyHours,
      onUnkept: (error) =>
        logger.warn('An answer was not kept: a repeated request is worked on again', { error }),
    }),
    now,
  });
}

/** Puts a gate together. */
export function makeGate(parts: GateParts): Gate {
  const { authenticate, limits, use, audit, idempotency, now } = parts;

  const keep = async (entry: AuditEntry, log: Logger): Promise<void> => {
    try {
      await audit.append(entry);
    } catch (error) {
      // What was done is done: the caller hears of it, the log and an alarm hear of what the trail has missed.
      log.error('The audit trail did not take an entry', { error, entry });
      metrics.addMetric('AuditEntriesLost', MetricUnit.Count, 1);
      metrics.publishStoredMetrics();
    }
  };

  const refuse = async (arrival: Arrival, error: Problem, caller?: Caller): Promise<void> => {
    await keep(
      {
        ...describe(arrival, now()),
        action: 'credential.refused',
        actor:
          caller === undefined
            ? { keyId: error instanceof Unauthorized ? error.keyId : undefined }
            : actorOf(caller),
        outcome: 'refused',
        status: error.status,
      },
      arrival.log,
    );
  };

  const admitByKey = async (arrival: Arrival): Promise<Admission> => {
    const { request, route } = arrival;
    await limits.checkAddress(request);
    const caller = await authenticate(request).catch(async (error: unknown) => {
      if (!(error instanceof Unauthorized)) throw error;
      if (error.attempted) {
        // A key that is no key is never looked up, and yet is an attempt.
        await limits.beforeLookup(request);
        await limits.failed(request);
        await refuse(arrival, error);
      }
      await limits.withoutKey(request, route);
      throw error;
    });
    const [headers] = await Promise.all([limits.ofCaller(request, caller, route), use.note(caller.keyId)]);
    try {
      authorize(caller, route);
    } catch (error) {
      if (error instanceof Problem) await refuse(arrival, error, caller);
      throw error;
    }
    return { caller, headers };
  };

  return {
    admit: (arrival) =>
      arrival.route.scope === 'open' ? admitByAddress(limits, arrival) : admitByKey(arrival),

    once: ({ caller, request, route, input, remainingMs }, handle) =>
      idempotency.run(
        {
          scope: `${caller?.keyId ?? 'anybody'} ${routeKeyOf(route)}`,
          key: request.headers['idempotency-key'] ?? '',
          payload: input,
          secrets: route.once?.secrets ?? [],
          remainingMs,
        },
        handle,
      ),

    record: (call, { status, location }) =>
      keep(
        {
          ...describe(call, now()),
          ...(location === undefined ? {} : { target: location }),
          actor: call.caller === undefined ? {} : actorOf(call.caller),
          outcome: status < 400 ? 'succeeded' : status < 500 ? 'refused' : 'failed',
          status,
        },
        call.log,
      ),
  };
}

const actorOf = ({ keyId, name, tenant }: Caller) => ({
  keyId,
  name,
  ...(tenant === undefined ? {} : { tenant }),
});

const describe = ({ request, route, trace }: Arrival, now: number) => ({
  at: new Date(now).toISOString(),
  action: routeKeyOf(route),
  target: request.path,
  sourceIp: request.sourceIp,
  traceId: trace.traceId,
});
