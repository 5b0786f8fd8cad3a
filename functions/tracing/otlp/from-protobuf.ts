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
} from '../model.ts';
import { doubleOf, link, type SpanParts, scopeOf, spanEvent, spanOf, statusOf } from './parts.ts';
import { WireReader, wire } from './wire.ts';

/**
 * Reads an `ExportTraceServiceRequest` in protobuf (opentelemetry-proto 1.x, collector/trace/v1 and trace/v1). Fields that are
 * not known are passed over; a field that is written otherwise than OTLP has it counts as not known.
 *
 * @throws MalformedOtlp
 */
export function tracesFromProtobuf(bytes: Buffer): ResourceSpans[] {
  const reader = new WireReader(bytes);
  const found: ResourceSpans[] = [];
  while (reader.next()) {
    if (reader.is(1, wire.bytes)) found.push(readResourceSpans(reader));
    else reader.skip();
  }
  return found;
}

function readResourceSpans(reader: WireReader): ResourceSpans {
  const outer = reader.enter();
  let resource: Resource = { attributes: [] };
  let schemaUrl = '';
  const scopeSpans: ScopeSpans[] = [];
  while (reader.next()) {
    if (reader.is(1, wire.bytes)) resource = readResource(reader);
    else if (reader.is(2, wire.bytes)) scopeSpans.push(readScopeSpans(reader));
    else if (reader.is(3, wire.bytes)) schemaUrl = reader.text();
    else reader.skip();
  }
  reader.leave(outer);
  return { resource, ...(schemaUrl === '' ? {} : { schemaUrl }), scopeSpans };
}

/** A resource, of any signal. */
export function readResource(reader: WireReader): Resource {
  const outer = reader.enter();
  const attributes: KeyValue[] = [];
  let dropped = 0;
  while (reader.next()) {
    if (reader.is(1, wire.bytes)) attributes.push(readKeyValue(reader));
    else if (reader.is(2, wire.varint)) dropped = reader.uint();
    else reader.skip();
  }
  reader.leave(outer);
  return { attributes, ...(dropped === 0 ? {} : { droppedAttributesCount: dropped }) };
}

function readScopeSpans(reader: WireReader): ScopeSpans {
  const outer = reader.enter();
  let scope: Scope | undefined;
  let schemaUrl = '';
  const spans: StoredSpan[] = [];
  while (reader.next()) {
    if (reader.is(1, wire.bytes)) scope = readScope(reader);
    else if (reader.is(2, wire.bytes)) spans.push(readSpan(reader));
    else if (reader.is(3, wire.bytes)) schemaUrl = reader.text();
    else reader.skip();
  }
  reader.leave(outer);
  return {
    ...(scope === undefined ? {} : { scope }),
    ...(schemaUrl === '' ? {} : { schemaUrl }),
    spans,
  };
}

function readScope(reader: WireReader): Scope | undefined {
  const outer = reader.enter();
  const parts = { name: '', version: '', attributes: [] as KeyValue[], dropped: 0 };
  while (reader.next()) {
    if (reader.is(1, wire.bytes)) parts.name = reader.text();
    else if (reader.is(2, wire.bytes)) parts.version = reader.text();
    else if (reader.is(3, wire.bytes)) parts.attributes.push(readKeyValue(reader));
    else if (reader.is(4, wire.varint)) parts.dropped = reader.uint();
    else reader.skip();
  }
  reader.leave(outer);
  return scopeOf(parts);
}

function readSpan(reader: WireReader): StoredSpan {
  const outer = reader.enter();
  const attributes: KeyValue[] = [];
  const events: SpanEvent[] = [];
  const links: SpanLink[] = [];
  const parts: SpanParts = {
    ...{ traceId: '', spanId: '', parentSpanId: '', traceState: '', flags: 0, name: '', kind: 0 },
    ...{ start: '0', end: '0', attributes, events, links, status: undefined },
    ...{ droppedAttributes: 0, droppedEvents: 0, droppedLinks: 0 },
  };
  while (reader.next()) readSpanField(reader, parts, { attributes, events, links });
  reader.leave(outer);
  return spanOf(parts);
}

interface Lists {
  readonly attributes: KeyValue[];
  readonly events: SpanEvent[];
  readonly links: SpanLink[];
}

function readSpanField(reader: WireReader, parts: SpanParts, lists: Lists): void {
  if (reader.is(9, wire.bytes)) lists.attributes.push(readKeyValue(reader));
  else if (reader.is(1, wire.bytes)) parts.traceId = reader.hex();
  else if (reader.is(2, wire.bytes)) parts.spanId = reader.hex();
  else if (reader.is(3, wire.bytes)) parts.traceState = reader.text();
  else if (reader.is(4, wire.bytes)) parts.parentSpanId = reader.hex();
  else if (reader.is(5, wire.bytes)) parts.name = reader.text();
  else if (reader.is(6, wire.varint)) parts.kind = reader.uint();
  else if (reader.is(7, wire.fixed64)) parts.start = reader.fixed64();
  else if (reader.is(8, wire.fixed64)) parts.end = reader.fixed64();
  else if (reader.is(10, wire.varint)) parts.droppedAttributes = reader.uint();
  else if (reader.is(11, wire.bytes)) lists.events.push(readEvent(reader));
  else if (reader.is(12, wire.varint)) parts.droppedEvents = reader.uint();
  else if (reader.is(13, wire.bytes)) lists.links.push(readLink(reader));
  else if (reader.is(14, wire.varint)) parts.droppedLinks = reader.uint();
  else if (reader.is(15, wire.bytes)) parts.status = readStatus(reader);
  else if (reader.is(16, wire.fixed32)) parts.flags = reader.fixed32();
  else reader.skip();
}

function readEvent(reader: WireReader): SpanEvent {
  const outer = reader.enter();
  const parts = { time: '0', name: '', attributes: [] as KeyValue[], dropped: 0 };
  while (reader.next()) {
    if (reader.is(1, wire.fixed64)) parts.time = reader.fixed64();
    else if (reader.is(2, wire.bytes)) parts.name = reader.text();
    else if (reader.is(3, wire.bytes)) parts.attributes.push(readKeyValue(reader));
    else if (reader.is(4, wire.varint)) parts.dropped = reader.uint();
    else reader.skip();
  }
  reader.leave(outer);
  return spanEvent(parts);
}

function readLink(reader: WireReader): SpanLink {
  const outer = reader.enter();
  const parts = {
    ...{ traceId: '', spanId: '', traceState: '', flags: 0, dropped: 0 },
    attributes: [] as KeyValue[],
  };
  while (reader.next()) {
    if (reader.is(1, wire.bytes)) parts.traceId = reader.hex();
    else if (reader.is(2, wire.bytes)) parts.spanId = reader.hex();
    else if (reader.is(3, wire.bytes)) parts.traceState = reader.text();
    else if (reader.is(4, wire.bytes)) parts.attributes.push(readKeyValue(reader));
    else if (reader.is(5, wire.varint)) parts.dropped = reader.uint();
    else if (reader.is(6, wire.fixed32)) parts.flags = reader.fixed32();
    else reader.skip();
  }
  reader.leave(outer);
  return link(parts);
}

function readStatus(reader: WireReader): SpanStatus | undefined {
  const outer = reader.enter();
  let [code, message] = [0, ''];
  while (reader.next()) {
    if (reader.is(2, wire.bytes)) message = reader.text();
    else if (reader.is(3, wire.varint)) code = reader.uint();
    else reader.skip();
  }
  reader.leave(outer);
  return statusOf(code, message);
}

/** An attribute, of any signal. */
export function readKeyValue(reader: WireReader): KeyValue {
  const outer = reader.enter();
  let key = '';
  let value: AnyValue = {};
  while (reader.next()) {
    if (reader.is(1, wire.bytes)) key = reader.text();
    else if (reader.is(2, wire.bytes)) value = readAnyValue(reader);
    else reader.skip();
  }
  reader.leave(outer);
  return { key, value };
}

function readAnyValue(reader: WireReader): AnyValue {
  const outer = reader.enter();
  let value: AnyValue = {};
  while (reader.next()) {
    if (reader.is(1, wire.bytes)) value = { stringValue: reader.text() };
    else if (reader.is(2, wire.varint)) value = { boolValue: reader.uint() !== 0 };
    else if (reader.is(3, wire.varint)) value = { intValue: reader.int64() };
    else if (reader.is(4, wire.fixed64)) value = { doubleValue: doubleOf(reader.double()) };
    else if (reader.is(5, wire.bytes)) value = { arrayValue: { values: readList(reader, readAnyValue) } };
    else if (reader.is(6, wire.bytes)) value = { kvlistValue: { values: readList(reader, readKeyValue) } };
    else if (reader.is(7, wire.bytes)) value = { bytesValue: reader.base64() };
    else reader.skip();
  }
  reader.leave(outer);
  return value;
}

/** The message of a list, whose only field is the first. */
function readList<T>(reader: WireReader, read: (reader: WireReader) => T): T[] {
  const outer = reader.enter();
  const values: T[] = [];
  while (reader.next()) {
    if (reader.is(1, wire.bytes)) values.push(read(reader));
    else reader.skip();
  }
  reader.leave(outer);
  return values;
}
