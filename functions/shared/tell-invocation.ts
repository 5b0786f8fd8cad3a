import type { MiddlewareObj, Request } from '@middy/core';
import type { Context } from 'aws-lambda';
import { invocationOf } from './instrumentation.ts';
import { invocationLine } from './invocation-line.ts';
import { redact } from './redact.ts';

/** When an invocation began: of the day, and of the clock that never jumps. */
const begun = new WeakMap<Context, { atMs: number; monotonicMs: number }>();
let cold = true;

/** Asking the system for it takes longer than all else that is told. */
const memoryMs = 100;
let memory = { bytes: 0, until: 0 };

/** Bytes of this process in memory, as they were at most `memoryMs` ago. */
function residentBytes(monotonicMs: number): number {
  if (monotonicMs >= memory.until) {
    memory = { bytes: process.memoryUsage.rss(), until: monotonicMs + memoryMs };
  }
  return memory.bytes;
}

/**
 * Writes a line about each invocation when it ends, see {@link invocationLine}. To be used right after the instrumentation: whatever fails
 * inside, it sees the answer that goes out.
 */
export function tellInvocation<E, R>(): MiddlewareObj<E, R> {
  const tell = ({ context, response, error }: Request<E, R>) => {
    const { trace, labels } = invocationOf(context);
    const now = { atMs: Date.now(), monotonicMs: performance.now() };
    const { atMs, monotonicMs } = begun.get(context) ?? now;
    const [route, tenant, status] = [labels.get('route'), labels.get('tenant'), statusOf(response)];
    const coldStart = cold;
    cold = false;
    process.stdout.write(
      invocationLine({
        service: process.env.POWERTOOLS_SERVICE_NAME ?? 'mainstay',
        fn: process.env.MAINSTAY_FUNCTION ?? 'function',
        requestId: context.awsRequestId,
        ...{ traceId: trace.traceId, spanId: trace.spanId },
        ...(trace.parentSpanId !== undefined && { parentSpanId: trace.parentSpanId }),
        startMs: atMs,
        durationMs: Math.round((now.monotonicMs - monotonicMs) * 1000) / 1000,
        coldStart,
        memoryBytes: residentBytes(now.monotonicMs),
        memoryLimitBytes: Number(context.memoryLimitInMB) * 1024 * 1024,
        ...(route !== undefined && { route: route.slice(0, 300) }),
        ...(status !== undefined && { status }),
        ...(tenant !== undefined && { tenant: tenant.slice(0, 200) }),
        ...(error !== undefined && error !== null && { error: described(error) }),
      }),
    );
  };
  return {
    before: ({ context }) => {
      begun.set(context, { atMs: Date.now(), monotonicMs: performance.now() });
    },
    after: tell,
    onError: tell,
  };
}

function statusOf(response: unknown): number | undefined {
  if (typeof response !== 'object' || response === null || !('statusCode' in response)) return undefined;
  return typeof response.statusCode === 'number' ? response.statusCode : undefined;
}

const described = (error: Error) => ({
  type: error.name.slice(0, 200),
  message: redact(error.message).slice(0, 500),
});
