/**
 * Spans as Mainstay keeps them: OTLP's own JSON encoding (opentelemetry-proto 1.x), as every receiver of OTLP reads it. Ids
 * are lower-case hex, times and 64-bit integers decimal text, enumerations numbers, bytes base64. Absent members have
 * OTLP's default.
 */

/** One value; one member at most is there. */
export interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  /** A signed integer of 64 bits, in decimal. */
  readonly intValue?: string;
  readonly doubleValue?: number | 'NaN' | 'Infinity' | '-Infinity';
  readonly arrayValue?: { readonly values: readonly AnyValue[] };
  readonly kvlistValue?: { readonly values: readonly KeyValue[] };
  /** Base64. */
  readonly bytesValue?: string;
}

export interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

export interface Resource {
  readonly attributes: readonly KeyValue[];
  readonly droppedAttributesCount?: number;
}

/** What made the spans: an instrumentation library, as a rule. */
export interface Scope {
  readonly name?: string;
  readonly version?: string;
  readonly attributes?: readonly KeyValue[];
  readonly droppedAttributesCount?: number;
}

export interface SpanEvent {
  readonly timeUnixNano: string;
  readonly name: string;
  readonly attributes: readonly KeyValue[];
  readonly droppedAttributesCount?: number;
}

export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceState?: string;
  readonly attributes: readonly KeyValue[];
  readonly droppedAttributesCount?: number;
  readonly flags?: number;
}

/** Unspecified, internal, server, client, producer, consumer: OTLP's numbers are the positions. */
export const spanKinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
export type SpanKind = (typeof spanKinds)[number];

/** OTLP's `Status.StatusCode`. */
export const statusCodes = { unset: 0, ok: 1, error: 2 } as const;

export interface SpanStatus {
  readonly code: number;
  readonly message?: string;
}

export interface StoredSpan {
  /** 32 digits. */
  readonly traceId: string;
  /** 16 digits. */
  readonly spanId: string;
  /** Absent on the root. */
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly flags?: number;
  /** The operation. */
  readonly name: string;
  /** Position in `spanKinds`. */
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly droppedAttributesCount?: number;
  readonly events?: readonly SpanEvent[];
  readonly droppedEventsCount?: number;
  readonly links?: readonly SpanLink[];
  readonly droppedLinksCount?: number;
  readonly status?: SpanStatus;
}

export interface ScopeSpans {
  readonly scope?: Scope;
  readonly schemaUrl?: string;
  readonly spans: readonly StoredSpan[];
}

export interface ResourceSpans {
  readonly resource: Resource;
  readonly schemaUrl?: string;
  readonly scopeSpans: readonly ScopeSpans[];
}

/** One span with all that is said of it elsewhere in its message. */
export interface TraceSpan {
  readonly span: StoredSpan;
  readonly service: string;
  readonly resource: Resource;
  readonly resourceSchemaUrl?: string;
  readonly scope?: Scope;
  readonly scopeSchemaUrl?: string;
}

/** Stands for the name of a service that says none, as the semantic conventions have it. */
export const unknownService = 'unknown_service';

/** The service that a resource is: its `service.name`, cut to 256 characters. */
export function serviceOf({ attributes }: Resource): string {
  const name = attributes.find(({ key }) => key === 'service.name')?.value.stringValue?.slice(0, 256);
  return name === undefined || name === '' ? unknownService : name;
}

/** Milliseconds since the epoch of a time in nanoseconds, exact to a quarter of a microsecond. */
export function msOfNano(nano: string): number {
  const split = nano.length - 6;
  if (split <= 0) return Number(nano) / 1e6;
  return Number(nano.slice(0, split)) + Number(nano.slice(split)) / 1e6;
}

/** How long a span took, in milliseconds; 0 for one that ends before it starts. */
export function durationMsOf({ startTimeUnixNano, endTimeUnixNano }: StoredSpan): number {
  const start = startTimeUnixNano.length - 6;
  const end = endTimeUnixNano.length - 6;
  if (start <= 0 || end <= 0) return Math.max(0, msOfNano(endTimeUnixNano) - msOfNano(startTimeUnixNano));
  // In two parts: a difference of large numbers would lose the nanoseconds.
  const whole = Number(endTimeUnixNano.slice(0, end)) - Number(startTimeUnixNano.slice(0, start));
  const rest = Number(endTimeUnixNano.slice(end)) - Number(startTimeUnixNano.slice(start));
  return Math.max(0, (whole * 1e6 + rest) / 1e6);
}

/** Whether a span says that it failed. */
export function isError({ status }: StoredSpan): boolean {
  return status?.code === statusCodes.error;
}
