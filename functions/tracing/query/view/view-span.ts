import { type AnyValue, isError, type KeyValue, spanKinds } from '../../model.ts';
import { textOf } from '../../store/tags.ts';
import type { ViewSpan } from './schema.ts';
import type { SpanNode } from './span-node.ts';
import { rfc3339OfNano } from './times.ts';

/** To the nanosecond. */
export const rounded = (ms: number) => Math.round(ms * 1e6) / 1e6;

/** A span of the tree as it is shown. */
export function viewOfSpan(
  node: SpanNode,
  { selfMs, criticalMs }: { selfMs: number; criticalMs: number },
): ViewSpan {
  const { service, span } = node.item;
  return {
    spanId: node.spanId,
    parentSpanId: span.parentSpanId ?? null,
    service,
    operation: span.name,
    kind: spanKinds[span.kind] ?? 'unspecified',
    startTime: rfc3339OfNano(BigInt(span.startTimeUnixNano)),
    offsetMs: rounded(node.startMs),
    durationMs: node.durationMs,
    selfMs: rounded(selfMs),
    criticalMs: rounded(criticalMs),
    depth: node.depth,
    children: node.children.length,
    skewMs: rounded(node.skewMs),
    error: isError(span),
    ...(span.status?.message === undefined ? {} : { statusMessage: span.status.message }),
    tags: plainTags(span.attributes),
    events: (span.events ?? []).map(({ timeUnixNano, name }) => ({
      time: rfc3339OfNano(BigInt(timeUnixNano)),
      name,
    })),
  };
}

/** Attributes by their key; lists, maps and bytes as the JSON that OTLP has for them. */
export function plainTags(attributes: readonly KeyValue[]): Record<string, string | number | boolean> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

/** A value as JSON has it; integers that a number cannot hold stay text. */
export function plainValue(value: AnyValue): string | number | boolean {
  if (value.intValue !== undefined) {
    const number = Number(value.intValue);
    return Number.isSafeInteger(number) ? number : value.intValue;
  }
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.doubleValue !== undefined) return value.doubleValue;
  return textOf(value) ?? JSON.stringify(value);
}
