import type { AnyValue, KeyValue, Resource, SpanEvent, SpanLink, StoredSpan } from '../model.ts';
import { maximumName, maximumValueDepth, type SpanLimits } from './limits.ts';

/** The attribute in which a span or resource names its attributes that were cut: its own by their keys. */
export const truncatedKey = 'mainstay.truncated';
/** The most keys that are named. */
const namedKeys = 20;

/** What is left for one span or resource, and what it has lost. */
class Allowance {
  readonly limits: SpanLimits;
  readonly cut: string[] = [];
  #left: number;

  constructor(limits: SpanLimits) {
    this.limits = limits;
    this.#left = limits.spanChars;
  }

  /** Takes so many characters, if there are as many left. */
  take(chars: number): boolean {
    if (chars > this.#left) return false;
    this.#left -= chars;
    return true;
  }
}

/**
 * Cuts a span to what the limits leave of it: values that are too long to their beginnings, and what is too much is dropped
 * and counted in the counts that OTLP has for it. A span that is within the limits is given back as it is.
 */
export function shortenSpan(span: StoredSpan, limits: SpanLimits): StoredSpan {
  const allowance = new Allowance(limits);
  const own = limitAttributes(span.attributes, allowance, '');
  const links = limitLinks(span.links ?? [], allowance);
  const events = limitEvents(span.events ?? [], allowance);
  const name = cutText(span.name, maximumName);
  const message = cutText(span.status?.message ?? '', limits.valueChars);
  const state = span.traceState === undefined || span.traceState.length <= maximumName;
  const unchanged =
    own.attributes === span.attributes &&
    links.kept === (span.links ?? links.kept) &&
    events.kept === (span.events ?? events.kept) &&
    name === span.name &&
    message === (span.status?.message ?? '') &&
    state;
  if (unchanged) return span;
  const { traceState, status, links: _links, events: _events, ...rest } = span;
  return {
    ...rest,
    name,
    ...(state && traceState !== undefined ? { traceState } : {}),
    attributes: marked(own.attributes, allowance),
    ...counted('droppedAttributesCount', span.droppedAttributesCount, own.dropped),
    ...(events.kept.length === 0 ? {} : { events: events.kept }),
    ...counted('droppedEventsCount', span.droppedEventsCount, events.dropped),
    ...(links.kept.length === 0 ? {} : { links: links.kept }),
    ...counted('droppedLinksCount', span.droppedLinksCount, links.dropped),
    ...(status === undefined
      ? {}
      : { status: { code: status.code, ...(message === '' ? {} : { message }) } }),
  };
}

/** The same for a resource. */
export function shortenResource(resource: Resource, limits: SpanLimits): Resource {
  const allowance = new Allowance(limits);
  const { attributes, dropped } = limitAttributes(resource.attributes, allowance, '');
  if (attributes === resource.attributes) return resource;
  return {
    attributes: marked(attributes, allowance),
    ...counted('droppedAttributesCount', resource.droppedAttributesCount, dropped),
  };
}

function limitAttributes(attributes: readonly KeyValue[], allowance: Allowance, place: string) {
  let changed = attributes.length > allowance.limits.attributes;
  const kept: KeyValue[] = [];
  for (const attribute of attributes) {
    if (kept.length === allowance.limits.attributes) break;
    const limited = limitAttribute(attribute, allowance.limits);
    if (!allowance.take(limited.key.length + sizeOf(limited.value))) {
      changed = true;
      continue;
    }
    if (limited !== attribute) {
      changed = true;
      if (allowance.cut.length < namedKeys) allowance.cut.push(`${place}${limited.key}`);
    }
    kept.push(limited);
  }
  return { attributes: changed ? kept : attributes, dropped: attributes.length - kept.length };
}

function limitAttribute(attribute: KeyValue, { valueChars }: SpanLimits): KeyValue {
  const { key, value } = attribute;
  if (key.length <= maximumName && sizeOf(value) <= valueChars) return attribute;
  return { key: cutText(key, maximumName), value: cutValue(value, valueChars) };
}

function cutValue(value: AnyValue, chars: number): AnyValue {
  if (sizeOf(value) <= chars) return value;
  if (value.bytesValue !== undefined) return { bytesValue: value.bytesValue.slice(0, chars & ~3) };
  // Of a list or map its beginning as JSON.
  return { stringValue: cutText(value.stringValue ?? JSON.stringify(value), chars) };
}

/** Without half a character at its end. */
function cutText(text: string, chars: number): string {
  if (text.length <= chars) return text;
  const cut = text.slice(0, chars);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

/** Characters that a value has, about; too many for what lies too deep. */
function sizeOf(value: AnyValue, depth = 0): number {
  if (value.stringValue !== undefined) return value.stringValue.length;
  if (value.bytesValue !== undefined) return value.bytesValue.length;
  if (depth > maximumValueDepth) return Number.POSITIVE_INFINITY;
  if (value.arrayValue !== undefined) {
    return value.arrayValue.values.reduce((sum, each) => sum + 8 + sizeOf(each, depth + 1), 8);
  }
  if (value.kvlistValue !== undefined) {
    const { values } = value.kvlistValue;
    return values.reduce((sum, each) => sum + 8 + each.key.length + sizeOf(each.value, depth + 1), 8);
  }
  return 8;
}

function limitLinks(links: readonly SpanLink[], allowance: Allowance) {
  return limitList(links, allowance.limits.links, (link) => {
    if (!/^[0-9a-f]{32}$/.test(link.traceId) || !/^[0-9a-f]{16}$/.test(link.spanId)) return undefined;
    const stated = cutText(link.traceState ?? '', maximumName);
    if (!allowance.take(64 + stated.length)) return undefined;
    const { attributes, dropped } = limitAttributes(link.attributes, allowance, 'link:');
    if (attributes === link.attributes && stated === (link.traceState ?? '')) return link;
    const { traceState: _, ...rest } = link;
    return {
      ...rest,
      ...(stated === '' ? {} : { traceState: stated }),
      attributes,
      ...counted('droppedAttributesCount', link.droppedAttributesCount, dropped),
    };
  });
}

function limitEvents(events: readonly SpanEvent[], allowance: Allowance) {
  return limitList(events, allowance.limits.events, (event) => {
    const name = cutText(event.name, maximumName);
    if (!allowance.take(32 + name.length)) return undefined;
    const { attributes, dropped } = limitAttributes(event.attributes, allowance, `event:${name}:`);
    if (attributes === event.attributes && name === event.name) return event;
    return {
      ...event,
      ...{ name, attributes },
      ...counted('droppedAttributesCount', event.droppedAttributesCount, dropped),
    };
  });
}

function limitList<T>(values: readonly T[], most: number, limit: (value: T) => T | undefined) {
  const kept = values.slice(0, most).flatMap((value) => limit(value) ?? []);
  const same = kept.length === values.length && kept.every((value, index) => value === values[index]);
  return { kept: same ? values : kept, dropped: values.length - kept.length };
}

function marked(attributes: readonly KeyValue[], { cut }: Allowance): readonly KeyValue[] {
  if (cut.length === 0) return attributes;
  const values = cut.map((stringValue) => ({ stringValue }));
  return [...attributes, { key: truncatedKey, value: { arrayValue: { values } } }];
}

function counted<N extends string>(
  name: N,
  before: number | undefined,
  dropped: number,
): { [K in N]?: number } {
  const counts: { [K in N]?: number } = {};
  const sum = (before ?? 0) + dropped;
  if (sum > 0) counts[name] = sum;
  return counts;
}
