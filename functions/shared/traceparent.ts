import { randomBytes } from 'node:crypto';
import * as z from 'zod';

/** Where a unit of work stands in a distributed trace (W3C Trace Context). */
export interface Trace {
  /** 32 lowercase hex digits, the same in everything one request sets in motion. */
  readonly traceId: string;
  /** 16 lowercase hex digits of this unit of work. */
  readonly spanId: string;
  /** The span that set this one in motion; absent at the start of a trace. */
  readonly parentSpanId?: string;
  readonly sampled: boolean;
  /** What to hand on: this unit of work is the parent of what it calls. */
  readonly traceparent: string;
}

/** A W3C trace context header; it ties every function of a workflow to the call that started it. */
export const traceparentSchema = z.string().regex(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const zeroes = /^0+$/;

/**
 * Reads a `traceparent` header. Anything that the specification calls invalid gives `undefined`: the trace
 * then starts anew. A version above 00 is read as far as 00 goes.
 */
export function parseTraceparent(
  header: string | undefined,
): { traceId: string; spanId: string; sampled: boolean } | undefined {
  const match = pattern.exec(header?.trim() ?? '');
  if (match === null) return undefined;
  const [, version, traceId, spanId, flags, rest] = match;
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) {
    return undefined;
  }
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (zeroes.test(traceId) || zeroes.test(spanId)) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/**
 * Continues the trace that `header` names as a new span, or starts one. A new trace takes X-Ray's id
 * (`1-…-…`) where there is one, so that logs and X-Ray agree on it.
 */
export function continueTrace(header: string | undefined, xrayTraceId?: string): Trace {
  const parent = parseTraceparent(header);
  const spanId = randomId(8);
  if (parent === undefined) {
    return trace(traceIdOfXRay(xrayTraceId) ?? randomId(16), spanId, true);
  }
  return { ...trace(parent.traceId, spanId, parent.sampled), parentSpanId: parent.spanId };
}

/** The W3C form of an X-Ray trace id, when it is one. */
export function traceIdOfXRay(xrayTraceId: string | undefined): string | undefined {
  const match = /^1-([0-9a-f]{8})-([0-9a-f]{24})$/.exec(xrayTraceId ?? '');
  const traceId = match === null ? '' : `${match[1]}${match[2]}`;
  return traceId === '' || zeroes.test(traceId) ? undefined : traceId;
}

function trace(traceId: string, spanId: string, sampled: boolean): Trace {
  return { traceId, spanId, sampled, traceparent: `00-${traceId}-${spanId}-${sampled ? '01' : '00'}` };
}

/** Random hex of `bytes` bytes, never all zeroes (the specification's "no id"). */
function randomId(bytes: number): string {
  for (;;) {
    const id = randomBytes(bytes).toString('hex');
    if (!zeroes.test(id)) return id;
  }
}
