import type { z } from 'zod';
import type { FunctionContract } from './contract.ts';
import type { InvocationContext } from './http-handler.ts';

/** What an event function's handler gets beside its event. */
export interface EventContext extends InvocationContext {
  /** Id of this invocation, in Lambda's own log lines as well. */
  readonly requestId: string;
  /** The running function's own ARN, with the version or alias it was invoked by. */
  readonly functionArn: string;
}

/** The event as the contract parses it. */
export type EventOf<F extends FunctionContract> = F extends { readonly event: infer S extends z.ZodType }
  ? z.output<S>
  : unknown;

export type EventHandler<F extends FunctionContract> = (event: EventOf<F>, context: EventContext) => unknown;
