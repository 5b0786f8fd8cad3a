import { parseTraceparent } from '../../shared/traceparent.ts';
import type { AuditEntry } from '../audit/entry.ts';
import type { EndpointRecord } from './endpoint-record.ts';
import type { EndpointStore } from './endpoint-store.ts';
import { webhookPath } from './endpoints-api.ts';
import type { WebhookDisabled } from './events.ts';
import type { Attempt, Disabled } from './model.ts';
import type { AttemptWork } from './workflow.ts';

export interface SettleDependencies {
  readonly endpoints: EndpointStore;
  /** Keeps what was done in the audit trail. */
  readonly record: (entry: AuditEntry) => Promise<void>;
  readonly announce: (detail: WebhookDisabled) => Promise<void>;
  readonly disableAfterDays: number;
}

const dayMs = 86_400_000;
/** Who acts where nobody asked for it; there is no id of a key then. */
const platformName = 'mainstay';

/**
 * Notes at an endpoint what an attempt says about it, and disables it when it is gone, or when a delivery has been given
 * up and nothing has gone well for too long. Doing it again changes nothing, but tells the audit trail and the platform
 * again: a second entry has the same target, time and trace.
 *
 * @returns whether it was disabled because of this attempt.
 */
export async function settleEndpoint(
  deps: SettleDependencies,
  endpoint: EndpointRecord,
  attempt: Attempt,
  work: AttemptWork,
): Promise<boolean> {
  const { status, at, nextAttemptAt } = attempt;
  if (status !== null && status >= 200 && status < 300) {
    if (endpoint.failingSince !== undefined) await deps.endpoints.markWell(endpoint.id);
    return false;
  }
  if (endpoint.failingSince === undefined) await deps.endpoints.markFailing(endpoint.id, at);
  if (status === 410) {
    return disable(deps, endpoint, work, {
      code: 'gone',
      message: 'It answered 410: it wants no more events.',
      at,
    });
  }
  if (nextAttemptAt !== null) return false;
  const { failingSince } = (await deps.endpoints.find(endpoint.id)) ?? {};
  if (failingSince === undefined) return false;
  if (Date.parse(at) - Date.parse(failingSince) < deps.disableAfterDays * dayMs) return false;
  return disable(deps, endpoint, work, {
    code: 'failing',
    message: `Nothing has gone well since ${failingSince}.`,
    at,
  });
}

async function disable(
  { endpoints, record, announce }: SettleDependencies,
  { id: webhookId, tenantId }: EndpointRecord,
  { deliveryId, traceparent }: AttemptWork,
  disabled: Disabled & { code: WebhookDisabled['reason'] },
): Promise<boolean> {
  if (!(await endpoints.disable(webhookId, disabled, deliveryId))) return false;
  await record({
    at: disabled.at,
    actor: { name: platformName },
    action: 'webhook.disabled',
    target: webhookPath(webhookId),
    sourceIp: '',
    outcome: 'succeeded',
    status: 200,
    traceId: parseTraceparent(traceparent)?.traceId ?? '',
  });
  await announce({
    version: 1,
    webhookId,
    ...(tenantId === null ? {} : { tenantId }),
    reason: disabled.code,
    message: disabled.message,
    at: disabled.at,
    traceparent,
  });
  return true;
}
