import type { InvocationLine } from '../../shared/invocation-line.ts';
import type { Seen } from '../tally/seen.ts';

/** What is counted of an invocation, of the line in which its function tells of it. */
export function seenOf(line: InvocationLine): Seen {
  const { service, fn, startMs, durationMs, coldStart, memoryBytes, memoryLimitBytes, traceId } = line;
  return {
    at: startMs + durationMs,
    ...{ service, fn: `${service}/${fn}`, durationMs, coldStart, memoryBytes, memoryLimitBytes, traceId },
    ...(line.route !== undefined &&
      line.status !== undefined && { request: { route: line.route, status: line.status } }),
    ...(line.tenant !== undefined && { tenant: line.tenant }),
    ...(line.error !== undefined && { error: line.error }),
  };
}
