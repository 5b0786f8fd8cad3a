import type {
  AnyValue,
  KeyValue,
  Resource,
  ResourceSpans,
  Scope,
  ScopeSpans,
  SpanEvent,
  SpanLink,
  SpanStatus,
  StoredSpan,
} from '../../model.ts';
import { WireWriter } from './wire-writer.ts';

/**
 * A `TracesData` of opentelemetry-proto 1.x (trace/v1), byte for byte what an `ExportTraceServiceRequest` and Tempo’s `Trace`
 * are as well: resource spans are field 1 of each.
 */
export function tracesToProtobuf(message: readonly ResourceSpans[]): Uint8Array {
  return written((writer) => {
    for (const resourceSpans of message) writer.bytes(1, written(resourceSpansTo(resourceSpans)));
  });
}

type Write = (writer: WireWriter) => void;

export function written(write: Write): Uint8Array {
  const writer = new WireWriter();
  write(writer);
  return writer.toBytes();
}

const resourceSpansTo =
  ({ resource, scopeSpans, schemaUrl }: ResourceSpans): Write =>
  (writer) => {
    writer.bytes(1, written(resourceTo(resource)));
    for (const each of scopeSpans) writer.bytes(2, written(scopeSpansTo(each)));
    writer.text(3, schemaUrl);
  };

const resourceTo =
  ({ attributes, droppedAttributesCount = 0 }: Resource): Write =>
  (writer) => {
    attributesTo(writer, 1, attributes);
    writer.uint(2, droppedAttributesCount);
  };

const scopeSpansTo =
  ({ scope, spans, schemaUrl }: ScopeSpans): Write =>
  (writer) => {
    if (scope !== undefined) writer.bytes(1, written(scopeTo(scope)));
    for (const span of spans) writer.bytes(2, written(spanTo(span)));
    writer.text(3, schemaUrl);
  };

const scopeTo =
  ({ name, version, attributes = [], droppedAttributesCount = 0 }: Scope): Write =>
  (writer) => {
    writer.text(1, name);
    writer.text(2, version);
    attributesTo(writer, 3, attributes);
    writer.uint(4, droppedAttributesCount);
  };

const spanTo =
  (span: StoredSpan): Write =>
  (writer) => {
    writer.hex(1, span.traceId);
    writer.hex(2, span.spanId);
    writer.text(3, span.traceState);
    writer.hex(4, span.parentSpanId);
    writer.text(5, span.name);
    writer.uint(6, span.kind);
    writer.fixed64(7, BigInt(span.startTimeUnixNano));
    writer.fixed64(8, BigInt(span.endTimeUnixNano));
    attributesTo(writer, 9, span.attributes);
    writer.uint(10, span.droppedAttributesCount ?? 0);
    for (const event of span.events ?? []) writer.bytes(11, written(eventTo(event)));
    writer.uint(12, span.droppedEventsCount ?? 0);
    for (const link of span.links ?? []) writer.bytes(13, written(linkTo(link)));
    writer.uint(14, span.droppedLinksCount ?? 0);
    if (span.status !== undefined) writer.bytes(15, written(statusTo(span.status)));
    writer.fixed32(16, span.flags ?? 0);
  };

const eventTo =
  ({ timeUnixNano, name, attributes, droppedAttributesCount = 0 }: SpanEvent): Write =>
  (writer) => {
    writer.fixed64(1, BigInt(timeUnixNano));
    writer.text(2, name);
    attributesTo(writer, 3, attributes);
    writer.uint(4, droppedAttributesCount);
  };

const linkTo =
  ({ traceId, spanId, traceState, attributes, droppedAttributesCount = 0, flags = 0 }: SpanLink): Write =>
  (writer) => {
    writer.hex(1, traceId);
    writer.hex(2, spanId);
    writer.text(3, traceState);
    attributesTo(writer, 4, attributes);
    writer.uint(5, droppedAttributesCount);
    writer.fixed32(6, flags);
  };

const statusTo =
  ({ code, message }: SpanStatus): Write =>
  (writer) => {
    writer.text(2, message);
    writer.uint(3, code);
  };

function attributesTo(writer: WireWriter, field: number, attributes: readonly KeyValue[]): void {
  for (const { key, value } of attributes) {
    const write: Write = (each) => {
      each.text(1, key);
      each.bytes(2, written(valueTo(value)));
    };
    writer.bytes(field, written(write));
  }
}

const valueTo =
  (value: AnyValue): Write =>
  (writer) => {
    const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue } = value;
    // Members of a `oneof` are written also where they have their default: otherwise there would be no value.
    if (stringValue !== undefined) writer.bytes(1, Buffer.from(stringValue));
    else if (boolValue !== undefined) writer.int64(2, boolValue ? 1n : 0n);
    else if (intValue !== undefined) writer.int64(3, BigInt(intValue));
    else if (doubleValue !== undefined) writer.double(4, Number(doubleValue));
    else if (arrayValue !== undefined) {
      const values: Write = (each) => {
        for (const item of arrayValue.values) each.bytes(1, written(valueTo(item)));
      };
      writer.bytes(5, written(values));
    } else if (kvlistValue !== undefined) {
      writer.bytes(
        6,
        written((each) => attributesTo(each, 1, kvlistValue.values)),
      );
    } else if (bytesValue !== undefined) writer.bytes(7, Buffer.from(bytesValue, 'base64'));
  };
