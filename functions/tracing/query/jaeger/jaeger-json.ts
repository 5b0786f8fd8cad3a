import { type AnyValue, isError, type KeyValue, spanKinds, type TraceSpan } from '../../model.ts';
import type { StoredTrace } from '../../store/trace-reader.ts';
import { treeOf } from '../view/span-node.ts';

/** A value with the type that Jaeger has for it. Integers that JavaScript cannot hold are text, as Jaeger sends them. */
interface JaegerTag {
  readonly key: string;
  readonly type: 'string' | 'bool' | 'int64' | 'float64' | 'binary';
  readonly value: string | number | boolean;
}

/** A trace in the JSON of Jaeger’s user interface, which its query API answers with: times are microseconds. */
export function jaegerTrace({ traceId, spans, complete }: StoredTrace) {
  const processes = new Map<string, { id: string; process: { serviceName: string; tags: JaegerTag[] } }>();
  const processOf = ({ service, resource }: TraceSpan): string => {
    const key = JSON.stringify(resource);
    const known = processes.get(key);
    if (known !== undefined) return known.id;
    const id = `p${processes.size + 1}`;
    const own = resource.attributes.filter((attribute) => attribute.key !== 'service.name');
    processes.set(key, { id, process: { serviceName: service, tags: tagsOf(own) } });
    return id;
  };
  const all = treeOf(spans).ordered.map(({ item }) => jaegerSpan(item, processOf(item)));
  const warnings = complete ? null : [`The trace has more spans than the ${spans.length} that are shown.`];
  return {
    traceID: traceId,
    spans: all,
    processes: Object.fromEntries([...processes.values()].map(({ id, process }) => [id, process])),
    warnings,
  };
}
export type JaegerTrace = ReturnType<typeof jaegerTrace>;

function jaegerSpan(item: TraceSpan, processID: string) {
  const { span, scope } = item;
  const start = BigInt(span.startTimeUnixNano);
  const duration = BigInt(span.endTimeUnixNano) - start;
  const { traceId: traceID, spanId: spanID } = span;
  const parent =
    span.parentSpanId === undefined ? [] : [{ refType: 'CHILD_OF', traceID, spanID: span.parentSpanId }];
  const links = (span.links ?? []).map((link) => ({
    ...{ refType: 'FOLLOWS_FROM', traceID: link.traceId, spanID: link.spanId },
  }));
  return {
    ...{ traceID, spanID, operationName: span.name },
    // The sampled flag, which Jaeger shows.
    flags: (span.flags ?? 1) & 1,
    references: [...parent, ...links],
    startTime: Number(start / 1_000n),
    duration: duration < 0n ? 0 : Number(duration / 1_000n),
    tags: [...tagsOf(span.attributes), ...ownTags(item), ...tagsOf(scopeAttributes(scope))],
    logs: (span.events ?? []).map(({ timeUnixNano, name, attributes }) => ({
      timestamp: Number(BigInt(timeUnixNano) / 1_000n),
      fields: [text('event', name), ...tagsOf(attributes)],
    })),
    processID,
    warnings: null,
  };
}

/** What OpenTelemetry has members for, by the names that its mapping to Jaeger gives them. */
function ownTags({ span }: TraceSpan): JaegerTag[] {
  const tags: JaegerTag[] = [];
  const kind = spanKinds[span.kind] ?? 'unspecified';
  if (kind !== 'unspecified') tags.push(text('span.kind', kind));
  if (isError(span))
    tags.push({ key: 'error', type: 'bool', value: true }, text('otel.status_code', 'ERROR'));
  else if (span.status?.code === 1) tags.push(text('otel.status_code', 'OK'));
  if (span.status?.message !== undefined) tags.push(text('otel.status_description', span.status.message));
  if (span.traceState !== undefined) tags.push(text('w3c.tracestate', span.traceState));
  return tags;
}

function scopeAttributes(scope: TraceSpan['scope']): KeyValue[] {
  const attributes: KeyValue[] = [];
  if (scope?.name !== undefined)
    attributes.push({ key: 'otel.scope.name', value: { stringValue: scope.name } });
  if (scope?.version !== undefined) {
    attributes.push({ key: 'otel.scope.version', value: { stringValue: scope.version } });
  }
  return attributes;
}

const text = (key: string, value: string): JaegerTag => ({ key, type: 'string', value });

const tagsOf = (attributes: readonly KeyValue[]): JaegerTag[] =>
  attributes.map(({ key, value }) => ({ key, ...typed(value) }));

function typed(value: AnyValue): Pick<JaegerTag, 'type' | 'value'> {
  const { stringValue, boolValue, intValue, doubleValue, bytesValue } = value;
  if (stringValue !== undefined) return { type: 'string', value: stringValue };
  if (boolValue !== undefined) return { type: 'bool', value: boolValue };
  if (intValue !== undefined) {
    const number = Number(intValue);
    return { type: 'int64', value: Number.isSafeInteger(number) ? number : intValue };
  }
  if (doubleValue !== undefined) return { type: 'float64', value: doubleValue };
  if (bytesValue !== undefined) return { type: 'binary', value: bytesValue };
  return { type: 'string', value: JSON.stringify(value) };
}
