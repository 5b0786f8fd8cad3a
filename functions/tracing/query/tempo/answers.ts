import type { ErrorWriter } from '../../../shared/http-response.ts';

/** Writes an error as Tempo does: its text. */
export const writeTempoError: ErrorWriter = (problem, { traceId }) => ({
  status: problem.status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  // Bytes, because a text without a schema would be written as JSON.
  body: Buffer.from(problem.status < 500 ? problem.message : `${problem.message} (trace ${traceId})`),
});
