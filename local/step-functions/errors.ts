/** The largest state input, task result or state output, in bytes of UTF-8. */
export const payloadLimitBytes = 262_144;

/** A failure as the states language sees it: a name that `Retry` and `Catch` match, and a cause. */
export class StatesError extends Error {
  readonly error: string;

  /** @param cause free text; for a function's error it is the JSON of the error's payload. */
  constructor(error: string, cause: string) {
    super(cause);
    this.name = error;
    this.error = error;
  }
}

/** Not retryable and not catchable: the definition and its data do not fit together. */
export function runtimeError(cause: string): StatesError {
  return new StatesError('States.Runtime', cause);
}

/**
 * Whether a `Retry` or `Catch` entry is for an error. `States.ALL` leaves out what ends an
 * execution in any case, and `States.TaskFailed` leaves out timeouts too.
 */
export function errorMatches(errorEquals: readonly string[], error: string): boolean {
  if (error === 'States.Runtime') return false;
  if (errorEquals.includes(error)) return true;
  if (error === 'States.DataLimitExceeded') return false;
  if (errorEquals.includes('States.ALL')) return true;
  return error !== 'States.Timeout' && errorEquals.includes('States.TaskFailed');
}

/** Why an execution, or a branch of it, is not to go on: not an error of the states language. */
export class Stopped extends Error {
  readonly error: string | undefined;
  readonly status: 'ABORTED' | 'TIMED_OUT' | 'FAILED';

  constructor(status: Stopped['status'], error?: string, cause?: string) {
    super(cause ?? '');
    this.status = status;
    this.error = error;
  }
}
