import type { KeyValue, ResourceSpans, StoredSpan } from '../../../functions/tracing/model.ts';

/** A text attribute. */
export const text = (key: string, stringValue: string): KeyValue => ({ key, value: { stringValue } });

/** The nanoseconds of a time in ms. */
export const nano = (ms: number) => (BigInt(Math.round(ms * 1_000)) * 1_000n).toString();

let made = 0;
/** A span of one second. */
export function span(changes: Partial<StoredSpan> & { startMs: number; durationMs?: number }): StoredSpan {
  const { startMs, durationMs = 1_000, ...members } = changes;
  made += 1;
  return {
    traceId: 'a'.repeat(32),
    spanId: made.toString(16).padStart(16, '0'),
    name: 'GET /',
    kind: 2,
    startTimeUnixNano: nano(startMs),
    endTimeUnixNano: nano(startMs + durationMs),
    attributes: [],
    ...members,
  };
}

/** The spans of one service. */
export function ofService(service: string, ...spans: StoredSpan[]): ResourceSpans {
  return { resource: { attributes: [text('service.name', service)] }, scopeSpans: [{ spans }] };
}
