import { createHash } from 'node:crypto';
import * as z from 'zod';
import { Problem } from '../../shared/problem.ts';
import type { RecoveryTable } from './recovery-table.ts';

/** How long a key is remembered. */
const keepSeconds = 24 * 60 * 60;
const claimSchema = z.object({ id: z.string(), fingerprint: z.string() });

/** A request that creates something: who sends it, to which route, with what. */
export interface IdempotentRequest {
  readonly callerId: string;
  readonly route: string;
  /** The `Idempotency-Key` header; without it every request is new. */
  readonly key: string | undefined;
  readonly body: unknown;
}

/**
 * Gives a request the id of what it creates: a request that is sent again with the same key gets the id of the
 * first time, and creates nothing new.
 *
 * @throws Problem 400 for a key that is none, 422 when the key was used for something else.
 */
export async function claimId(
  table: RecoveryTable,
  request: IdempotentRequest,
  newId: string,
  now: number = Date.now(),
): Promise<string> {
  const { callerId, route, key, body } = request;
  if (key === undefined) return newId;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new Problem('invalid-request', 'The Idempotency-Key has 1 to 255 visible ASCII characters.', {
      errors: [{ field: 'headers.idempotency-key', message: 'has 1 to 255 visible ASCII characters' }],
    });
  }
  const fingerprint = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  const item = { pk: `IDEMPOTENCY#${callerId}`, sk: `${route}#${key}` };
  const claimed = await table.put(
    { ...item, id: newId, fingerprint, expiresAt: Math.floor(now / 1000) + keepSeconds },
    {
      expression: 'attribute_not_exists(pk) OR #expiresAt <= :now',
      values: { ':now': Math.floor(now / 1000) },
    },
  );
  if (claimed) return newId;
  const first = claimSchema.parse(await table.get(item));
  if (first.fingerprint === fingerprint) return first.id;
  throw new Problem('unprocessable-request', 'This Idempotency-Key was used for a different request.');
}
