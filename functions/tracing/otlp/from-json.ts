import { parseJson } from '../../shared/json-body.ts';
import type {
  AnyValue,
  KeyValue,
  Resource,
  ResourceSpans,
  ScopeSpans,
  SpanEvent,
  SpanLink,
  StoredSpan,
} from '../model.ts';
import { JsonMessage } from './json-message.ts';
import { MalformedOtlp } from './malformed.ts';
import { doubleOf, link, scopeOf, spanEvent, spanOf, statusOf } from './parts.ts';

/**
 * Reads an `ExportTraceServiceRequest` in OTLP's JSON encoding: protobuf's, with ids in hex and enumerations as numbers only.
 * Members that are not known are passed over.
 *
 * @throws MalformedOtlp naming the member.
 */
export function tracesFromJson(text: string): ResourceSpans[] {
  return bodyOf(text).messages('resourceSpans', readResourceSpans);
}

/** Longest text that is searched for the place where it breaks. */
const searchedLength = 1024 * 1024;

/**
 * The message that a body is.
 *
 * @throws MalformedOtlp for what is no JSON object.
 */
export function bodyOf(text: string): JsonMessage {
  return new JsonMessage(parse(text), 'The body');
}

function parse(text: string): unknown {
  try {
    // Depth is bounded by what reads the messages; what nobody reads is not walked through.
    return JSON.parse(text);
  } catch {
    const parsed = text.length > searchedLength ? undefined : parseJson(text);
    throw new MalformedOtlp(`The body ${parsed?.ok === false ? parsed.message : 'is not JSON'}`);
  }
}

function readResourceSpans(message: JsonMessage): ResourceSpans {
  const schemaUrl = message.text('schemaUrl');
  return {
    resource: message.message('resource', readResource) ?? { attributes: [] },
    ...(schemaUrl === '' ? {} : { schemaUrl }),
    scopeSpans: message.messages('scopeSpans', readScopeSpans),
  };
}

/** A resource, of any signal. */
export function readResource(message: JsonMessage): Resource {
  const dropped = message.uint('droppedAttributesCount');
  return {
    attributes: message.messages('attributes', readKeyValue),
    ...(dropped === 0 ? {} : { droppedAttributesCount: dropped }),
  };
}

function readScopeSpans(message: JsonMessage): ScopeSpans {
  const schemaUrl = message.text('schemaUrl');
  const scope = message.message('scope', (of) =>
    scopeOf({ name: of.text('name'), version: of.text('version'), ...readAttributes(of) }),
  );
  return {
    ...(scope === undefined ? {} : { scope }),
    ...(schemaUrl === '' ? {} : { schemaUrl }),
    spans: message.messages('spans', readSpan),
  };
}

const readAttributes = (message: JsonMessage) => ({
  attributes: message.messages('attributes', readKeyValue),
  dropped: message.uint('droppedAttributesCount'),
});

function readSpan(message: JsonMessage): StoredSpan {
  const { attributes, dropped } = readAttributes(message);
  return spanOf({
    traceId: message.hex('traceId'),
    spanId: message.hex('spanId'),
    parentSpanId: message.hex('parentSpanId'),
    traceState: message.text('traceState'),
    flags: message.uint('flags'),
    name: message.text('name'),
    kind: message.uint('kind'),
    start: message.uint64('startTimeUnixNano'),
    end: message.uint64('endTimeUnixNano'),
    attributes,
    droppedAttributes: dropped,
    events: message.messages('events', readEvent),
    droppedEvents: message.uint('droppedEventsCount'),
    links: message.messages('links', readLink),
    droppedLinks: message.uint('droppedLinksCount'),
    status: message.message('status', (of) => statusOf(of.uint('code'), of.text('message'))),
  });
}

function readEvent(message: JsonMessage): SpanEvent {
  return spanEvent({
    time: message.uint64('timeUnixNano'),
    name: message.text('name'),
    ...readAttributes(message),
  });
}

function readLink(message: JsonMessage): SpanLink {
  return link({
    traceId: message.hex('traceId'),
    spanId: message.hex('spanId'),
    traceState: message.text('traceState'),
    flags: message.uint('flags'),
    ...readAttributes(message),
  });
}

/** An attribute, of any signal. */
export function readKeyValue(message: JsonMessage): KeyValue {
  return { key: message.text('key'), value: message.message('value', readAnyValue) ?? {} };
}

function readAnyValue(message: JsonMessage): AnyValue {
  if (message.has('stringValue')) return { stringValue: message.text('stringValue') };
  // OpenTelemetry's SDK writes every number without decimals so, however large.
  if (message.isLarge('intValue')) return { doubleValue: message.double('intValue') };
  if (message.has('intValue')) return { intValue: message.int64('intValue') };
  if (message.has('boolValue')) return { boolValue: message.boolean('boolValue') };
  if (message.has('doubleValue')) return { doubleValue: doubleOf(message.double('doubleValue')) };
  if (message.has('arrayValue'))
    return { arrayValue: { values: listOf(message, 'arrayValue', readAnyValue) } };
  if (message.has('kvlistValue'))
    return { kvlistValue: { values: listOf(message, 'kvlistValue', readKeyValue) } };
  return message.has('bytesValue') ? { bytesValue: message.base64('bytesValue') } : {};
}

const listOf = <T>(message: JsonMessage, member: string, read: (of: JsonMessage) => T): T[] =>
  message.message(member, (of) => of.messages('values', read)) ?? [];
