import { type ResourceSpans, type StoredSpan, spanKinds } from '../../model.ts';

/**
 * Resource spans as Tempo writes them in JSON: protobuf’s own mapping, in which ids are base64 and enumerations have their
 * names.
 */
export function tempoResourceSpans(message: readonly ResourceSpans[]) {
  return message.map(({ scopeSpans, ...around }) => ({
    ...around,
    scopeSpans: scopeSpans.map(({ spans, ...scope }) => ({ ...scope, spans: spans.map(tempoSpan) })),
  }));
}

const statusNames = ['STATUS_CODE_UNSET', 'STATUS_CODE_OK', 'STATUS_CODE_ERROR'];

function tempoSpan({ traceId, spanId, parentSpanId, kind, status, links, ...span }: StoredSpan) {
  return {
    ...{ traceId: base64(traceId), spanId: base64(spanId) },
    ...(parentSpanId === undefined ? {} : { parentSpanId: base64(parentSpanId) }),
    ...span,
    kind: `SPAN_KIND_${(spanKinds[kind] ?? 'unspecified').toUpperCase()}`,
    ...(links === undefined
      ? {}
      : {
          links: links.map((link) => ({
            ...link,
            traceId: base64(link.traceId),
            spanId: base64(link.spanId),
          })),
        }),
    status: status === undefined ? {} : { ...status, code: statusNames[status.code] ?? statusNames[0] },
  };
}

const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
