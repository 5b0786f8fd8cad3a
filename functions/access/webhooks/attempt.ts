import type { AuditEntry } from '../audit/entry.ts';
import type { TenantStore } from '../tenants/tenant-store.ts';
import { type DeliveryRecord, isOver } from './delivery-record.ts';
import type { DeliveryStore, End } from './delivery-store.ts';
import type { EndpointRecord } from './endpoint-record.ts';
import type { EndpointStore } from './endpoint-store.ts';
import type { WebhookDisabled } from './events.ts';
import type { Attempt } from './model.ts';
import { secondsUntilNext } from './retry-schedule.ts';
import { type Outcome, type SendDependencies, sendMessage } from './send.ts';
import { settleEndpoint } from './settle-endpoint.ts';
import { whyUntold } from './why-untold.ts';
import type { AttemptResult, AttemptWork } from './workflow.ts';

export interface AttemptDependencies extends SendDependencies {
  readonly tenants: Pick<TenantStore, 'find'>;
  readonly endpoints: EndpointStore;
  readonly deliveries: DeliveryStore;
  /** Keeps what was done in the audit trail. */
  readonly record: (entry: AuditEntry) => Promise<void>;
  /** Tells the platform that an endpoint was disabled. */
  readonly announce: (detail: WebhookDisabled) => Promise<void>;
  readonly disableAfterDays: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** What an attempt came to, for the workflow and for whoever measures. */
export interface Attempted {
  readonly result: AttemptResult;
  /** Absent where nothing was sent: the run is over, or the endpoint is told nothing. */
  readonly attempt?: Attempt;
  /** Whether the endpoint was disabled because of it. */
  readonly disabled: boolean;
}

/**
 * Makes one attempt of a delivery, records it, and says when the next one is due. An attempt that is recorded already is
 * not made again; what follows from it is.
 */
export async function attemptDelivery(deps: AttemptDependencies, work: AttemptWork): Promise<Attempted> {
  const nothing: Attempted = { result: { ...work, outcome: 'ended', waitSeconds: 0 }, disabled: false };
  const { webhookId, deliveryId, run } = work;
  const delivery = await deps.deliveries.find(webhookId, deliveryId);
  if (delivery === undefined || delivery.run !== run) return nothing;
  const recorded = recordedAttempt(delivery, run, work.attempt);
  if (recorded === undefined && isOver(delivery.state)) return nothing;
  const endpoint = await deps.endpoints.find(webhookId);
  const untold = recorded === undefined ? await whyUntold(deps, endpoint) : undefined;
  if (untold !== undefined) {
    const finishedAt = new Date(deps.now()).toISOString();
    await deps.deliveries.end(webhookId, deliveryId, run, { state: 'canceled', finishedAt, error: untold });
    return nothing;
  }
  if (endpoint === undefined) return nothing;
  const attempt = recorded ?? (await makeAttempt(deps, endpoint, delivery, work));
  if (attempt === undefined) return nothing;
  const disabled = await settleEndpoint(deps, endpoint, attempt, work);
  return { result: resultOf(work, attempt, deps.now()), attempt, disabled };
}

async function makeAttempt(
  deps: AttemptDependencies,
  endpoint: EndpointRecord,
  delivery: DeliveryRecord,
  { run, attempt: number }: AttemptWork,
): Promise<Attempt | undefined> {
  const { retryAfterSeconds, ...outcome } = await sendMessage(deps, endpoint, delivery);
  const now = deps.now();
  const seconds =
    isSuccess(outcome) || outcome.status === 410
      ? undefined
      : secondsUntilNext(number, { retryAfterSeconds, random: deps.random });
  const nextAttemptAt = seconds === undefined ? null : new Date(now + seconds * 1000).toISOString();
  const attempt: Attempt = { run, number, ...outcome, nextAttemptAt };
  const end = nextAttemptAt === null ? endOf(attempt, now) : undefined;
  if (await deps.deliveries.addAttempt(delivery, attempt, end)) return attempt;
  // Another invocation made the same attempt at the same time: what it recorded counts.
  const current = await deps.deliveries.find(delivery.webhookId, delivery.id);
  return current === undefined ? undefined : recordedAttempt(current, run, number);
}

const recordedAttempt = ({ attempts }: DeliveryRecord, run: number, number: number): Attempt | undefined =>
  attempts.find((each) => each.run === run && each.number === number);

/** Whether the endpoint took it: 2xx. */
export const isSuccess = ({ status }: Pick<Outcome, 'status'>): boolean =>
  status !== null && status >= 200 && status < 300;

function endOf(attempt: Attempt, now: number): End {
  const finishedAt = new Date(now).toISOString();
  if (isSuccess(attempt)) return { state: 'completed', finishedAt };
  const error =
    attempt.status === 410
      ? { code: 'gone', message: 'The endpoint answered 410.' }
      : { code: 'attempts-exhausted', message: 'No attempt went well.' };
  return { state: 'failed', finishedAt, error };
}

function resultOf(work: AttemptWork, { nextAttemptAt }: Attempt, now: number): AttemptResult {
  if (nextAttemptAt === null) return { ...work, outcome: 'ended', waitSeconds: 0 };
  const waitSeconds = Math.max(0, Math.ceil((Date.parse(nextAttemptAt) - now) / 1000));
  return { ...work, attempt: work.attempt + 1, outcome: 'again', waitSeconds };
}
