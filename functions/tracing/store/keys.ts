import { createHash } from 'node:crypto';

/**
 * The tracing table. Every item follows from the spans it is made of, and its key from its content: the same spans written
 * again replace the same items. Whoever reads expects a span more than once all the same, because a sender may pack it into
 * another request.
 *
 * | What | `pk` | `sk` | More |
 * |---|---|---|---|
 * | Spans of one trace in one request | `TRACE#<traceId>` | `PART#<hash>` | `data`, `spans` |
 * | What can be searched of one service's spans of one hour in one request | `SPANS#<service>#<hour>#<shard>` | `<latest start, 13 digits of ms>#<hash>` | `data`, `spans`, `firstMs` |
 * | That there are such blocks | `HOURS#<service>` | `<hour>#<shard>` | |
 * | A service of a day | `SERVICES#<day>` | `<service>` | |
 * | An operation of a service and day | `OPERATIONS#<day>#<service>` | `<kind>#<operation>` | |
 * | The trace that the canary wrote last | `CANARY` | `LATEST` | `traceId`, `startMs` |
 *
 * `data` is one zstd frame of JSON: of a trace OTLP's own `TracesData`, of a block what `SpanBlock` describes. No item has
 * more than 350 000 bytes of it. Hours are counted since the epoch (6 digits), days are `2026-01-31`, hashes are 32 digits
 * of SHA-256. A busy service spreads over `shards` partitions in each hour. Items end at `expiresAt`: what is searched
 * `retentionDays` after its hour or day, what is read by a trace's id a day after that, so that no trace is found that has
 * lost a part.
 */
export const shards = 4;
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** The most bytes of `data` in one item; DynamoDB takes 400 KB with all names and values. */
export const maximumData = 350_000;

export const traceKey = (traceId: string) => `TRACE#${traceId}`;
export const blockKey = (service: string, hour: number, shard: number) =>
  `SPANS#${service}#${textOfHour(hour)}#${shard}`;
export const hoursKey = (service: string) => `HOURS#${service}`;
export const servicesKey = (day: string) => `SERVICES#${day}`;
export const operationsKey = (day: string, service: string) => `OPERATIONS#${day}#${service}`;

export const canaryKey = { pk: 'CANARY', sk: 'LATEST' } as const;

export const hourOf = (ms: number) => Math.floor(ms / hourMs);
export const textOfHour = (hour: number) => String(hour).padStart(6, '0');
export const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
/** A time as it sorts in keys. */
export const textOfMs = (ms: number) => String(Math.floor(ms)).padStart(13, '0');

/** Names content: 32 hex digits. */
export const hashOf = (content: string) => createHash('sha256').update(content).digest('hex').slice(0, 32);

/** `expiresAt` of what is to be kept for some days after `ms`, in Unix seconds. */
export const expiryOf = (ms: number, days: number) => Math.ceil((ms + days * dayMs) / 1_000);

/** The days that lie in a range of time, oldest first. */
export function daysBetween(fromMs: number, toMs: number): string[] {
  const days: string[] = [];
  for (let at = Math.floor(fromMs / dayMs); at <= Math.floor(toMs / dayMs); at += 1)
    days.push(dayOf(at * dayMs));
  return days;
}
