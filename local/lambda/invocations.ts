import * as z from 'zod';
import { AwsError } from '../aws/operation.ts';
import type { LambdaDefinition } from './definition.ts';
import { throttled } from './failures.ts';
import type { Faults } from './faults.ts';
import type { PooledOutcome } from './function-pool.ts';
import type { FoundFunction } from './functions.ts';
import type { CompleteOptions } from './host-options.ts';
import { LogTail } from './log-tail.ts';
import type { InvokeMessage } from './runner-protocol.ts';
import { traceHeaderFor } from './trace-header.ts';

/** One invocation of a function that has been found. */
export interface Invocation {
  requestId: string;
  /** JSON text. */
  payload: string;
  traceHeader?: string | undefined;
  clientContext?: string | undefined;
  asynchronous: boolean;
}

const errorTypeSchema = z.object({ errorType: z.string() });

/** Runs invocations within the account's concurrency, and reports each. */
export class Invocations {
  readonly #options: CompleteOptions;
  readonly #faults: Faults;
  readonly #tails = new Map<string, LogTail>();
  readonly #peaks = new WeakMap<LambdaDefinition, number>();
  #inFlight = 0;

  constructor(options: CompleteOptions, faults: Faults) {
    this.#options = options;
    this.#faults = faults;
  }

  /** A line of output of an invocation. */
  wrote(requestId: string | undefined, text: string): void {
    if (requestId !== undefined) this.#tails.get(requestId)?.add(text);
  }

  peakOf(definition: LambdaDefinition): number {
    return this.#peaks.get(definition) ?? 0;
  }

  /** @throws {AwsError} `TooManyRequestsException` beyond a concurrency limit. */
  async run(found: FoundFunction, invocation: Invocation): Promise<PooledOutcome & { logTail: string }> {
    const { definition, functionArn } = found;
    const { requestId, payload, clientContext, asynchronous } = invocation;
    const report = {
      functionName: definition.name,
      functionArn,
      requestId,
      startedAtMs: Date.now(),
      asynchronous,
    };
    const tail = new LogTail();
    this.#tails.set(requestId, tail);
    try {
      const outcome = await this.#admitted(found, {
        requestId,
        payload,
        functionArn,
        traceHeader: traceHeaderFor(invocation.traceHeader, definition.tracing === 'Active'),
        ...(clientContext === undefined ? {} : { clientContext }),
      });
      this.#peaks.set(definition, Math.max(this.peakOf(definition), outcome.maxMemoryUsedBytes));
      const { payload: _, failed: __, ...measured } = outcome;
      this.#options.onInvocation({ ...report, ...measured, error: errorOf(outcome), throttled: false });
      return { ...outcome, logTail: tail.text };
    } catch (error) {
      if (error instanceof AwsError && error.code === 'TooManyRequestsException') {
        this.#options.onInvocation({ ...report, ...notRun, throttled: true });
      }
      throw error;
    } finally {
      this.#tails.delete(requestId);
    }
  }

  async #admitted(found: FoundFunction, message: Omit<InvokeMessage, 'deadlineMs'>): Promise<PooledOutcome> {
    if (this.#inFlight >= this.#options.accountConcurrency) throw throttled('account');
    this.#inFlight += 1;
    try {
      return await found.pool.invoke(message, (environment) => this.#faults.invoked(environment));
    } finally {
      this.#inFlight -= 1;
    }
  }
}

const notRun = {
  durationMs: 0,
  initDurationMs: undefined,
  error: undefined,
  coldStart: false,
  maxMemoryUsedBytes: 0,
};

function errorOf(outcome: PooledOutcome): string | undefined {
  if (!outcome.failed) return undefined;
  const parsed = errorTypeSchema.safeParse(JSON.parse(outcome.payload));
  return parsed.success ? parsed.data.errorType : 'Unhandled';
}
