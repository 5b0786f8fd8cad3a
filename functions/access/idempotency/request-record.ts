import { IdempotencyRecordStatus } from '@aws-lambda-powertools/idempotency';
import * as z from 'zod';

/** The record of one key, as it is stored. */
export const requestRecordSchema = z.object({
  status: z.enum([IdempotencyRecordStatus.INPROGRESS, IdempotencyRecordStatus.COMPLETED]),
  /** SHA-256 of the request. */
  payloadHash: z.string(),
  /** Names the work of all attempts, a ULID. */
  workId: z.ulid(),
  /** Milliseconds since the epoch: nobody works on it any more from then on. */
  busyUntil: z.number(),
  /** Seconds since the epoch: from then on the record counts for nothing. */
  expiresAt: z.number(),
  answer: z.string().optional(),
});
export type RequestRecord = z.output<typeof requestRecordSchema>;

/** Whether an attempt has been given up that kept no answer: it failed, or its function was stopped. */
export const isAbandoned = ({ status, busyUntil }: RequestRecord, now: number): boolean =>
  status === IdempotencyRecordStatus.INPROGRESS && busyUntil <= now;

/** Where the record lies. */
export const recordKey = (idempotencyKey: string) => ({ pk: `ONCE#${idempotencyKey}`, sk: 'ONCE' });
