import { types } from 'node:util';

/** An error as Lambda's Node.js runtime reports it. */
export interface ErrorPayload {
  errorType: string;
  errorMessage: string;
  trace: string[];
}

/** Shapes anything that was thrown. */
export function errorPayload(error: unknown): ErrorPayload {
  if (error instanceof Error || types.isNativeError(error)) {
    return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
  }
  return { errorType: typeof error, errorMessage: text(error), trace: [] };
}

/** Shapes a rejection that nobody handled. */
export function rejectionPayload(reason: unknown): ErrorPayload & { reason: ErrorPayload; promise: object } {
  const cause = errorPayload(reason);
  const errorMessage = reason instanceof Error ? String(reason) : cause.errorMessage;
  return {
    errorType: 'Runtime.UnhandledPromiseRejection',
    errorMessage,
    reason: cause,
    promise: {},
    trace: [`Runtime.UnhandledPromiseRejection: ${errorMessage}`, ...cause.trace.slice(1)],
  };
}

/** An error of Lambda itself while it loads the bundle. */
export function initError(errorType: string, errorMessage: string, cause?: unknown): ErrorPayload {
  const stack = cause instanceof Error ? (cause.stack ?? '').split('\n').slice(1) : [];
  return { errorType, errorMessage, trace: [`${errorType}: ${errorMessage}`, ...stack] };
}

function text(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'unknown';
  }
}
