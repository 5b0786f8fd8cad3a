import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { Tracer } from '@aws-lambda-powertools/tracer';
import { captureLambdaHandler } from '@aws-lambda-powertools/tracer/middleware';
import type { MiddlewareObj } from '@middy/core';
import type { Context } from 'aws-lambda';
import type { InvocationContext } from './http-handler.ts';
import { redact } from './redact.ts';
import { continueTrace } from './traceparent.ts';

/** Service name, namespace and level come from the `POWERTOOLS_*` variables. Nothing that is logged holds a secret, however deep. */
export const logger = new Logger({
  jsonReplacerFn: (_key, value) => (typeof value === 'string' ? redact(value) : value),
});
/** Published when the invocation ends; handlers add their own metrics to it. */
const metrics = new Metrics();
/** X-Ray segments exist where Lambda runs the function; elsewhere (a test) the tracer does nothing. */
const tracer = new Tracer({
  captureHTTPsRequests: false,
  ...(process.env.LAMBDA_TASK_ROOT === undefined ? { enabled: false } : {}),
});

interface Invocation extends InvocationContext {
  /** What `annotate` noted. */
  readonly labels: Map<string, string>;
}

const invocations = new WeakMap<Context, Invocation>();

/** What the instrumentation made for this invocation. */
export function invocationOf(context: Context): Invocation {
  const invocation = invocations.get(context);
  if (invocation === undefined) throw new Error('The instrumentation has not seen this invocation.');
  return invocation;
}

/** Adds to every further log line of this invocation, and to its X-Ray segment. */
export function annotate(context: Context, labels: Readonly<Record<string, string>>): void {
  logger.appendKeys(labels);
  const noted = invocations.get(context)?.labels;
  for (const [name, value] of Object.entries(labels)) {
    noted?.set(name, value);
    tracer.putAnnotation(name, value);
  }
}

/**
 * Logs, traces and metrics of every function: each line carries the trace id, the X-Ray segment is annotated
 * with it, with whether it was a cold start and with the name of the error it ended with, and metrics are published whatever the outcome. Events and results are
 * never recorded: they may hold what nobody should read in a log.
 *
 * @param traceparentOf finds the trace that an event belongs to.
 */
export function instrumentation<E>(
  traceparentOf: (event: E) => string | undefined,
): MiddlewareObj<E, unknown>[] {
  const publish = () => {
    if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
  };
  return [
    injectLambdaContext(logger, { logEvent: false, resetKeys: true }),
    captureLambdaHandler(tracer, { captureResponse: false }),
    {
      before: ({ event, context }) => {
        const trace = continueTrace(traceparentOf(event), tracer.getRootXrayTraceId());
        const remainingMs = () => context.getRemainingTimeInMillis();
        invocations.set(context, { trace, log: logger, metrics, remainingMs, labels: new Map() });
        annotate(context, { traceId: trace.traceId });
      },
      after: publish,
      onError: ({ error }) => {
        if (error instanceof Error) tracer.putAnnotation('error', error.name);
        publish();
      },
    },
  ];
}
