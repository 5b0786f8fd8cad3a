import type { InvocationLine } from '../../shared/invocation-line.ts';
import {
  type KeyValue,
  type ResourceSpans,
  type StoredSpan,
  spanKinds,
  statusCodes,
} from '../../tracing/model.ts';

/**
 * The spans of invocations, by service: Mainstay's functions are services named `mainstay-<capability>`. What a request or an event handed on
 * (`traceparent`) ties them to the spans of whoever sent it. Attributes are those of OpenTelemetry's semantic conventions for functions and HTTP.
 */
export function spansOf(lines: readonly InvocationLine[]): ResourceSpans[] {
  const byService = Map.groupBy(lines, ({ service }) => service);
  return [...byService].map(([service, those]) => ({
    resource: { attributes: [text('service.name', `mainstay-${service}`)] },
    scopeSpans: [{ scope: { name: 'mainstay' }, spans: those.map(spanOf) }],
  }));
}

function spanOf(line: InvocationLine): StoredSpan {
  const { traceId, spanId, parentSpanId, startMs, durationMs, route, status, error } = line;
  const start = BigInt(Math.round(startMs * 1_000)) * 1_000n;
  const end = start + BigInt(Math.round(durationMs * 1_000)) * 1_000n;
  const failed = error !== undefined || (status !== undefined && status >= 500);
  return {
    ...{ traceId, spanId, ...(parentSpanId !== undefined && { parentSpanId }) },
    name: route ?? line.fn,
    kind: spanKinds.indexOf(route === undefined ? 'consumer' : 'server'),
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(end),
    attributes: attributesOf(line),
    ...(failed && {
      status: { code: statusCodes.error, ...(error !== undefined && { message: error.message }) },
    }),
  };
}

function attributesOf({
  fn,
  requestId,
  coldStart,
  route,
  status,
  tenant,
  error,
  memoryBytes,
}: InvocationLine): KeyValue[] {
  const [method, path] = route?.split(' ', 2) ?? [];
  return [
    text('faas.name', fn),
    text('faas.invocation_id', requestId),
    { key: 'faas.coldstart', value: { boolValue: coldStart } },
    { key: 'process.memory.usage', value: { intValue: String(memoryBytes) } },
    ...(method !== undefined && path !== undefined
      ? [text('http.request.method', method), text('http.route', path)]
      : []),
    ...(status === undefined
      ? []
      : [{ key: 'http.response.status_code', value: { intValue: String(status) } }]),
    ...(tenant === undefined ? [] : [text('mainstay.tenant', tenant)]),
    ...(error === undefined ? [] : [text('error.type', error.type)]),
  ];
}

const text = (key: string, stringValue: string): KeyValue => ({ key, value: { stringValue } });
