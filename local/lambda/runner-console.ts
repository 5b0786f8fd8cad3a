import { format } from 'node:util';
import { errorPayload } from './runner-errors.ts';

type Write = (line: string) => void;

/**
 * Makes `console` write as it does in Lambda: one line per call, with time, request id and level.
 * Loggers that write to stdout themselves are not touched.
 */
export function captureConsole(write: Write, requestId: () => string | undefined): void {
  const json = process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
  const log = (level: string, parts: readonly unknown[]): void => {
    write(json ? jsonLine(level, requestId(), parts) : textLine(level, requestId(), format(...parts)));
  };
  console.trace = (...parts: unknown[]) => log('TRACE', parts);
  console.debug = (...parts: unknown[]) => log('DEBUG', parts);
  console.log = (...parts: unknown[]) => log('INFO', parts);
  console.info = (...parts: unknown[]) => log('INFO', parts);
  console.warn = (...parts: unknown[]) => log('WARN', parts);
  console.error = (...parts: unknown[]) => log('ERROR', parts);
}

/** A log line in Lambda's text format. Line breaks become carriage returns, so that it stays one event. */
export function textLine(level: string, requestId: string | undefined, message: string): string {
  return `${new Date().toISOString()}\t${requestId}\t${level}\t${message.replaceAll('\n', '\r')}\n`;
}

function jsonLine(level: string, requestId: string | undefined, parts: readonly unknown[]): string {
  const [only] = parts;
  const message =
    parts.length === 1 && typeof only === 'object' && !(only instanceof Error) ? only : undefined;
  const error = parts.find((part) => part instanceof Error);
  const line = {
    timestamp: new Date().toISOString(),
    level,
    requestId,
    message: message ?? format(...parts),
    ...(error === undefined ? {} : withStack(error)),
  };
  try {
    return `${JSON.stringify(line)}\n`;
  } catch {
    return `${JSON.stringify({ ...line, message: format(...parts) })}\n`;
  }
}

function withStack(error: Error): Record<string, unknown> {
  const { errorType, errorMessage, trace } = errorPayload(error);
  return { errorType, errorMessage, stackTrace: trace };
}
