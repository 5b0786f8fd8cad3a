import * as z from 'zod';
import type { HttpAnswer } from '../../shared/http-response.ts';

const keptSchema = z.strictObject({
  status: z.int().min(100).max(499),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.unknown().optional(),
});

/**
 * The text that is kept of an answer in JSON: members of its body that are called as one of `secrets`, at whatever depth, are
 * `null` in it.
 */
export function keepAnswer({ status, headers, body }: HttpAnswer, secrets: readonly string[]): string {
  const blank = (name: string, value: unknown) => (secrets.includes(name) ? null : value);
  return JSON.stringify({ status, headers, body }, blank);
}

/**
 * Makes the answer to a repeated request: the one that was kept, marked with `idempotency-replayed`.
 *
 * @throws Error when the text is not of `keepAnswer`.
 */
export function replayAnswer(kept: string): HttpAnswer {
  const { status, headers, body } = keptSchema.parse(JSON.parse(kept));
  return {
    status,
    headers: { ...headers, 'idempotency-replayed': 'true' },
    ...(body === undefined ? {} : { body }),
  };
}
