import type { InvocationContext } from './http-handler.ts';

/** What an event function's handler gets beside its event. */
export interface EventContext extends InvocationContext {
  /** Id of this invocation, in Lambda's own log lines as well. */
  readonly requestId: string;
  /** The running function's own ARN, with the version or alias it was invoked by. */
  readonly functionArn: string;
}
