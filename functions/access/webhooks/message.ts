import type { PlatformEvent } from './events.ts';
import { eventIdSchema } from './ids.ts';

/** Largest body that is sent, in bytes; receivers are not to be burdened with more. */
export const maximumBodyBytes = 20_000;
const maximumReferences = 10;

/** What an endpoint is told of an event. */
export interface Message {
  /** `webhook-id`: the same at every attempt and for every endpoint. */
  readonly id: string;
  readonly type: string;
  /** When it happened, RFC 3339. */
  readonly occurredAt: string;
  /** Exactly as it is sent: JSON of `type`, `timestamp` and `data`. */
  readonly body: string;
}

/** Makes the message that tells of an event on the bus. */
export function messageOf(event: PlatformEvent): Message {
  const { detail } = event;
  const own = eventIdSchema.safeParse(detail.eventId);
  const occurredAt = timeOf(detail.at) ?? new Date(event.time).toISOString();
  return makeMessage(own.data ?? event.id, event['detail-type'], occurredAt, detail);
}

/** Makes a message; data that is too large is replaced by the ids in it. */
export function makeMessage(
  id: string,
  type: string,
  occurredAt: string,
  data: Readonly<Record<string, unknown>>,
): Message {
  const whole = JSON.stringify({ type, timestamp: occurredAt, data });
  const sizeBytes = Buffer.byteLength(whole);
  const body =
    sizeBytes <= maximumBodyBytes
      ? whole
      : JSON.stringify({
          type,
          timestamp: occurredAt,
          data: { ...idsIn(data), omitted: true, sizeBytes },
        });
  return { id, type, occurredAt, body };
}

/** What the API can be asked for by name. */
function idsIn(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const ids = Object.entries(data).filter(
    ([name, value]) => /^\w{1,50}Id$/.test(name) && typeof value === 'string' && value.length <= 100,
  );
  return Object.fromEntries(ids.slice(0, maximumReferences));
}

function timeOf(value: unknown): string | undefined {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}
