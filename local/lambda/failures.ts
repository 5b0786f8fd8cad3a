import { AwsError } from '../aws/operation.ts';

/** Largest payload of a synchronous invocation: 6 MB. */
export const syncRequestLimit = 6 * 1024 * 1024;
/** Largest payload of an asynchronous invocation: 1 MB. */
export const asyncRequestLimit = 1024 * 1024;

/** The payload of an invocation that ran longer than the function may. */
export function timedOut(requestId: string, timeoutSeconds: number): string {
  return JSON.stringify({
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${requestId} Error: Task timed out after ${timeoutSeconds.toFixed(2)} seconds`,
  });
}

/** The payload of an invocation whose process used more memory than the function has. */
export function outOfMemory(requestId: string): string {
  return JSON.stringify({
    errorType: 'Runtime.OutOfMemory',
    errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`,
  });
}

/** The payload of an invocation whose process ended without an answer. */
export function runtimeExited(requestId: string, code: number | null, signal: NodeJS.Signals | null): string {
  return JSON.stringify({
    errorType: 'Runtime.ExitError',
    errorMessage: `RequestId: ${requestId} Error: ${exitReason(code, signal)}`,
  });
}

function exitReason(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `Runtime exited with error: signal: ${signalNames[signal] ?? signal}`;
  // The runtime tells no reason when the function ended its own process as if all were well.
  if (code === 0 || code === null) return 'Runtime exited without providing a reason';
  return `Runtime exited with error: exit status ${code}`;
}

/** The wording of Go's `os.Signal`, in which Lambda reports. */
const signalNames: Partial<Record<NodeJS.Signals, string>> = {
  SIGKILL: 'killed',
  SIGABRT: 'aborted',
  SIGSEGV: 'segmentation fault',
  SIGTERM: 'terminated',
  SIGBUS: 'bus error',
  SIGINT: 'interrupt',
};

/** The error for an invocation beyond a concurrency limit. */
export function throttled(reason: 'account' | 'function'): AwsError {
  return new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429, {
    Type: 'User',
    Reason:
      reason === 'account'
        ? 'ConcurrentInvocationLimitExceeded'
        : 'ReservedFunctionConcurrentInvocationLimitExceeded',
  });
}

/** The error for a payload that is too large to be taken. */
export function requestTooLarge(bytes: number, type: 'RequestResponse' | 'Event'): AwsError {
  const limit = type === 'Event' ? asyncRequestLimit : syncRequestLimit;
  return new AwsError(
    'RequestEntityTooLargeException',
    `${bytes} byte payload is too large for the ${type} invocation type (limit ${limit} bytes)`,
    413,
    { Type: 'User' },
  );
}

/** The error for a call that arrives while the host is not running. */
export function serviceUnavailable(message: string): AwsError {
  return new AwsError('ServiceException', message, 500, { Type: 'Service' });
}
