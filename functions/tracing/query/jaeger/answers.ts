import type { ErrorWriter } from '../../../shared/http-response.ts';

/** An answer of Jaeger’s query API. */
export function jaegerAnswer<T>(data: readonly T[]) {
  return { data: [...data], total: data.length, limit: 0, offset: 0, errors: null };
}

/** Writes an error as Jaeger’s query API does. */
export const writeJaegerError: ErrorWriter = (problem, { traceId }) => {
  const msg = problem.status < 500 ? problem.message : `${problem.message} (trace ${traceId})`;
  return {
    status: problem.status,
    headers: { 'content-type': 'application/json' },
    body: { data: null, total: 0, limit: 0, offset: 0, errors: [{ code: problem.status, msg }] },
  };
};
