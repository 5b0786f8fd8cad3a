import type { AnyValue, KeyValue, Scope, SpanEvent, SpanLink, SpanStatus, StoredSpan } from '../model.ts';

/**
 * What both encodings say of a span, with OTLP's defaults for what they do not say. The functions of this file leave defaults
 * out again: the same span is the same in whichever encoding it came.
 */
export interface SpanParts {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  traceState: string;
  flags: number;
  name: string;
  kind: number;
  /** Decimal nanoseconds. */
  start: string;
  end: string;
  attributes: readonly KeyValue[];
  droppedAttributes: number;
  events: readonly SpanEvent[];
  droppedEvents: number;
  links: readonly SpanLink[];
  droppedLinks: number;
  status: SpanStatus | undefined;
}

const noParent = '0000000000000000';

export function spanOf(parts: SpanParts): StoredSpan {
  const { traceId, spanId, parentSpanId, traceState, flags, name, kind, status } = parts;
  const { attributes, events, links, droppedAttributes, droppedEvents, droppedLinks } = parts;
  const span: Mutable<StoredSpan> = {
    ...{ traceId, spanId, name, kind: kind <= 5 ? kind : 0 },
    ...{ startTimeUnixNano: parts.start, endTimeUnixNano: parts.end, attributes },
  };
  if (parentSpanId !== '' && parentSpanId !== noParent) span.parentSpanId = parentSpanId;
  if (traceState !== '') span.traceState = traceState;
  if (flags !== 0) span.flags = flags;
  if (droppedAttributes !== 0) span.droppedAttributesCount = droppedAttributes;
  if (events.length > 0) span.events = events;
  if (droppedEvents !== 0) span.droppedEventsCount = droppedEvents;
  if (links.length > 0) span.links = links;
  if (droppedLinks !== 0) span.droppedLinksCount = droppedLinks;
  if (status !== undefined) span.status = status;
  return span;
}

export function statusOf(code: number, message: string): SpanStatus | undefined {
  if (code === 0 && message === '') return undefined;
  return { code, ...(message === '' ? {} : { message }) };
}

interface Attributes {
  readonly attributes: readonly KeyValue[];
  readonly dropped: number;
}

export function scopeOf(parts: Attributes & { readonly name: string; readonly version: string }) {
  const { name, version, attributes, dropped } = parts;
  const scope: Mutable<Scope> = {};
  if (name !== '') scope.name = name;
  if (version !== '') scope.version = version;
  if (attributes.length > 0) scope.attributes = attributes;
  if (dropped !== 0) scope.droppedAttributesCount = dropped;
  return Object.keys(scope).length === 0 ? undefined : scope;
}

export function spanEvent({
  time,
  name,
  attributes,
  dropped,
}: Attributes & { readonly time: string; readonly name: string }): SpanEvent {
  const event = { timeUnixNano: time, name, attributes };
  return dropped === 0 ? event : { ...event, droppedAttributesCount: dropped };
}

export function link(
  parts: Attributes & {
    readonly traceId: string;
    readonly spanId: string;
    readonly traceState: string;
    readonly flags: number;
  },
): SpanLink {
  const { traceId, spanId, traceState, flags, attributes, dropped } = parts;
  return {
    ...{ traceId, spanId },
    ...(traceState === '' ? {} : { traceState }),
    attributes,
    ...(dropped === 0 ? {} : { droppedAttributesCount: dropped }),
    ...(flags === 0 ? {} : { flags }),
  };
}

/** A number as JSON can have it. */
export function doubleOf(value: number): NonNullable<AnyValue['doubleValue']> {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
