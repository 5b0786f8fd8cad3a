/** What the host sends to the process of an execution environment: one invocation. */
export interface InvokeMessage {
  requestId: string;
  /** JSON text. */
  payload: string;
  /** When the host kills the process, in ms since the epoch. */
  deadlineMs: number;
  functionArn: string;
  traceHeader: string;
  /** JSON text of the client context, where the caller gave one. */
  clientContext?: string;
}

/** What the process sends to the host. */
export type RunnerMessage =
  /** The bundle is loaded. */
  | { type: 'ready' }
  /** The bundle could not be loaded; `payload` is the JSON of the error. */
  | { type: 'init-error'; payload: string }
  /** The handler returned. */
  | { type: 'result'; requestId: string; payload: string }
  /** The handler threw; `fatal` when the process ends as well. */
  | { type: 'error'; requestId: string; payload: string; fatal: boolean };

/**
 * The line that the process writes to stdout and stderr after the last output of its start (as
 * request `init`) or of an invocation. With it the host knows to which request a line belongs, and
 * that it has read all of them. No output of a function holds a NUL followed by the secret.
 */
export function endOfOutput(secret: string, requestId: string): string {
  return `\u0000${secret} ${requestId}\n`;
}
