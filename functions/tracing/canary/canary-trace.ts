import { continueTrace } from '../../shared/traceparent.ts';

/** The service that the canary's spans are of. */
export const canaryService = 'mainstay-canary';
/** How many spans a trace of the canary has. */
export const canarySpans = 2;

/** A trace of the canary, by which it is found again. */
export interface CanaryTrace {
  /** 32 hex digits. */
  readonly traceId: string;
  /** When its spans start, in ms since the epoch. */
  readonly startMs: number;
}

/** A new trace of a root and its child, and the request that an exporter would send of it: OTLP's JSON. */
export function newCanaryTrace(startMs: number): { trace: CanaryTrace; body: Buffer } {
  const root = continueTrace(undefined);
  const child = continueTrace(root.traceparent);
  const { traceId } = root;
  const times = { startTimeUnixNano: `${startMs}000000`, endTimeUnixNano: `${startMs + 1}000000` };
  const spans = [
    { traceId, spanId: root.spanId, name: 'canary', kind: 1, ...times },
    { traceId, spanId: child.spanId, parentSpanId: root.spanId, name: 'canary child', kind: 1, ...times },
  ];
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: canaryService } }] };
  const message = { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'mainstay' }, spans }] }] };
  return { trace: { traceId, startMs }, body: Buffer.from(JSON.stringify(message)) };
}
