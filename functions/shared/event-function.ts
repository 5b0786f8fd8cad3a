import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import type * as z from 'zod';
import type { FunctionContract } from './contract.ts';
import { type EnvironmentSource, readEnvironment } from './environment.ts';
import type { EventContext } from './event-handler.ts';
import { instrumentation, invocationOf } from './instrumentation.ts';
import { redactError } from './redact.ts';
import { tellInvocation } from './tell-invocation.ts';

export interface EventFunctionOptions<E extends z.ZodObject, V extends z.ZodType> {
  readonly contract: FunctionContract & { readonly environment: E; readonly event: V };
  /** Makes the handler; called once, at cold start, with the function's environment. */
  readonly handler: (environment: z.output<E>) => (event: z.output<V>, context: EventContext) => unknown;
  /** Finds the trace that an event belongs to. Default: its member `traceparent`. */
  readonly traceparentOf?: (event: unknown) => string | undefined;
  /** Default: the process's environment variables. */
  readonly environment?: EnvironmentSource;
}

/** The event is not what the contract describes. Its name is what a workflow's `ErrorEquals` sees. */
export class InvalidEvent extends Error {
  override readonly name = 'InvalidEvent';
}

/**
 * The Lambda handler of a function that is not called over HTTP: instrumentation, the event parsed by its
 * contract, one line in the log for how it ended. An error keeps its name and message, because a workflow
 * decides by them; secrets are taken out of both.
 */
export function eventFunction<E extends z.ZodObject, V extends z.ZodType>(
  options: EventFunctionOptions<E, V>,
): (event: unknown, context: Context) => Promise<unknown> {
  const { contract, traceparentOf = memberTraceparent, environment: source = process.env } = options;
  const handle = options.handler(readEnvironment(contract.environment, source));

  const run = async (event: unknown, context: Context): Promise<unknown> => {
    const { trace, log, metrics, remainingMs } = invocationOf(context);
    const started = performance.now();
    const parsed = parseEvent(contract.event, event);
    const result = await handle(parsed, {
      trace,
      log,
      metrics,
      remainingMs,
      requestId: context.awsRequestId,
      functionArn: context.invokedFunctionArn,
    });
    log.info('Done', { durationMs: Math.round(performance.now() - started) });
    return result;
  };

  return middy<unknown, unknown>()
    .use(instrumentation(traceparentOf))
    .use(tellInvocation())
    .onError(({ error, context }) => {
      redactError(error);
      invocationOf(context).log.error('The function failed', { error: error ?? 'unknown' });
    })
    .handler(run);
}

function parseEvent<V extends z.ZodType>(schema: V, event: unknown): z.output<V> {
  const result = schema.safeParse(event);
  if (result.success) return result.data;
  const complaints = result.error.issues.map(
    (issue) => `${issue.path.join('.') || 'event'}: ${issue.message}`,
  );
  throw new InvalidEvent(`The event is not what the contract describes: ${complaints.join('; ')}`);
}

/** The trace of an event that carries it as its member `traceparent`. */
export function memberTraceparent(event: unknown): string | undefined {
  if (typeof event !== 'object' || event === null || !('traceparent' in event)) return undefined;
  return typeof event.traceparent === 'string' ? event.traceparent : undefined;
}
