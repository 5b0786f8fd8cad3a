import {
  durationMsOf,
  msOfNano,
  type ResourceSpans,
  type StoredSpan,
  serviceOf,
  type TraceSpan,
} from '../model.ts';
import {
  blockKey,
  dayMs,
  dayOf,
  expiryOf,
  hashOf,
  hourMs,
  hourOf,
  hoursKey,
  operationsKey,
  servicesKey,
  shards,
  textOfHour,
  textOfMs,
  traceKey,
} from './keys.ts';
import { packInPieces } from './packed.ts';
import { columnsOf } from './span-block.ts';

/** An item as it is put; the same spans always make the same. */
export interface Item {
  readonly pk: string;
  readonly sk: string;
  /** Unix seconds. */
  readonly expiresAt: number;
  readonly data?: Uint8Array;
  /** How many spans `data` holds. */
  readonly spans?: number;
  /** Earliest start in a block, ms since the epoch. */
  readonly firstMs?: number;
}

/** Spans that make one item at most; more than fit are halved. */
const spansOfPart = 4_000;
const spansOfBlock = 2_000;
/** The most characters of an operation in the list of operations, which is in a key. */
export const maximumListedOperation = 256;

/** The spans of a message one by one. */
export function flatten(batch: readonly ResourceSpans[]): TraceSpan[] {
  const spans: TraceSpan[] = [];
  for (const { resource, schemaUrl: resourceSchemaUrl, scopeSpans } of batch) {
    const service = serviceOf(resource);
    for (const { scope, schemaUrl, spans: own } of scopeSpans) {
      const around = {
        ...{ service, resource },
        ...(resourceSchemaUrl === undefined ? {} : { resourceSchemaUrl }),
        ...(scope === undefined ? {} : { scope }),
        ...(schemaUrl === undefined ? {} : { scopeSchemaUrl: schemaUrl }),
      };
      for (const span of own) spans.push({ span, ...around });
    }
  }
  return spans;
}

/** Puts spans of one message back under their resources and scopes. */
export function regroup(spans: readonly TraceSpan[]): ResourceSpans[] {
  return [...Map.groupBy(spans, ({ resource }) => resource)].map(([resource, ofResource]) => ({
    resource,
    ...optional('schemaUrl', ofResource[0]?.resourceSchemaUrl),
    scopeSpans: [...Map.groupBy(ofResource, ({ scope }) => scope)].map(([scope, ofScope]) => ({
      ...optional('scope', scope),
      ...optional('schemaUrl', ofScope[0]?.scopeSchemaUrl),
      spans: ofScope.map(({ span }) => span),
    })),
  }));
}

function optional<N extends string, T>(name: N, value: T | undefined): { [K in N]?: T } {
  const member: { [K in N]?: T } = {};
  if (value !== undefined) member[name] = value;
  return member;
}

/** One item or more for each trace: what is read by its id. */
export function traceItems(spans: readonly TraceSpan[], retentionDays: number): Item[] {
  const byTrace = Map.groupBy(spans, ({ span }) => span.traceId);
  return [...byTrace].flatMap(([traceId, all]) =>
    chunks(all, spansOfPart).flatMap((chunk) =>
      packInPieces(chunk, (piece) => JSON.stringify({ resourceSpans: regroup(piece) })).map(
        ([{ text, data }, piece]): Item => ({
          ...{ pk: traceKey(traceId), sk: `PART#${hashOf(text)}`, data, spans: piece.length },
          expiresAt: expiryOf(greatest(piece, ({ span }) => endMsOf(span)) + dayMs, retentionDays),
        }),
      ),
    ),
  );
}

/** One item or more for each service and hour: what is searched. */
export function blockItems(spans: readonly TraceSpan[], retentionDays: number): Item[] {
  const groups = Map.groupBy(spans, ({ service, span }) => `${hourOf(startMsOf(span))} ${service}`);
  return [...groups.values()].flatMap((group) =>
    chunks(group, spansOfBlock).flatMap((chunk) =>
      packInPieces(chunk, (piece) => JSON.stringify(columnsOf(piece))).flatMap(([{ text, data }, piece]) => {
        const [first] = piece;
        if (first === undefined) return [];
        const hour = hourOf(startMsOf(first.span));
        const hash = hashOf(`${first.service} ${text}`);
        const shard = Number.parseInt(hash.slice(0, 4), 16) % shards;
        const expiresAt = expiryOf((hour + 1) * hourMs, retentionDays);
        const sk = `${textOfMs(greatest(piece, ({ span }) => startMsOf(span)))}#${hash}`;
        const firstMs = -greatest(piece, ({ span }) => -startMsOf(span));
        const block: Item = {
          ...{ pk: blockKey(first.service, hour, shard), sk, expiresAt, data },
          ...{ spans: piece.length, firstMs: Math.floor(firstMs) },
        };
        const directory: Item = {
          ...{ pk: hoursKey(first.service), sk: `${textOfHour(hour)}#${shard}`, expiresAt },
        };
        return [block, directory];
      }),
    ),
  );
}

/** One item for each service of a day and each of its operations: what the lists of them are made of. */
export function nameItems(spans: readonly TraceSpan[], retentionDays: number): Item[] {
  const items = new Map<string, Item>();
  for (const { service, span } of spans) {
    const ms = startMsOf(span);
    const [day, expiresAt] = [dayOf(ms), expiryOf((Math.floor(ms / dayMs) + 1) * dayMs, retentionDays)];
    const operation = `${span.kind}#${span.name.slice(0, maximumListedOperation)}`;
    for (const key of [
      { pk: servicesKey(day), sk: service },
      { pk: operationsKey(day, service), sk: operation },
    ]) {
      items.set(idOf(key), { ...key, expiresAt });
    }
  }
  return [...items.values()];
}

/** Names an item among others. */
export const idOf = ({ pk, sk }: { pk: string; sk: string }) => JSON.stringify([pk, sk]);

const startMsOf = ({ startTimeUnixNano }: StoredSpan) => msOfNano(startTimeUnixNano);
const endMsOf = (span: StoredSpan) => startMsOf(span) + durationMsOf(span);

function greatest<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((most, value) => Math.max(most, of(value)), Number.NEGATIVE_INFINITY);
}

function chunks<T>(values: readonly T[], size: number): (readonly T[])[] {
  const found: (readonly T[])[] = [];
  for (let from = 0; from < values.length; from += size) found.push(values.slice(from, from + size));
  return found;
}
