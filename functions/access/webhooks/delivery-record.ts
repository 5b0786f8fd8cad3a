import * as z from 'zod';
import { traceparentSchema } from '../../shared/traceparent.ts';
import { deliveryIdSchema, webhookIdSchema } from './ids.ts';
import {
  attemptSchema,
  type Delivery,
  type DeliveryState,
  type DeliverySummary,
  deliveryStateSchema,
} from './model.ts';
import { attemptsPerRun } from './retry-schedule.ts';

const time = z.iso.datetime();
const failureSchema = z.object({ code: z.string(), message: z.string() });
export type DeliveryFailure = z.output<typeof failureSchema>;

/** A delivery as it is stored. */
export const deliveryRecordSchema = z.object({
  id: deliveryIdSchema,
  webhookId: webhookIdSchema,
  messageId: z.string(),
  type: z.string(),
  state: deliveryStateSchema,
  /** 1 at first; each replay is a run of its own. */
  run: z.int().min(1),
  /** Work id of the request that asked for this run; absent for the first one. */
  replayedFor: z.ulid().optional(),
  /** Attempts of this run. */
  attempt: z.int().min(0),
  attempts: z.array(attemptSchema),
  occurredAt: time,
  createdAt: time,
  nextAttemptAt: time.optional(),
  finishedAt: time.optional(),
  error: failureSchema.optional(),
  body: z.string(),
  traceparent: traceparentSchema,
});
export type DeliveryRecord = z.output<typeof deliveryRecordSchema>;

/** What asks for another run. */
export interface Replay {
  /** Of the request. */
  readonly workId: string;
  readonly traceparent: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Whether nothing more happens to it by itself. */
export const isOver = (state: DeliveryState): boolean => state !== 'queued' && state !== 'running';

/** Whether its present run has ended without an attempt: it was canceled, or its execution could not be started. */
export const hasEndedUntried = ({ state, attempt }: DeliveryRecord): boolean =>
  isOver(state) && attempt === 0;

/** How a delivery is shown in a list. */
export function toSummary(record: DeliveryRecord): DeliverySummary {
  const { id, webhookId, messageId, type, state, attempt, occurredAt, createdAt } = record;
  return {
    id,
    webhookId,
    messageId,
    type,
    state,
    progress: { attempts: attempt, attemptsAtMost: attemptsPerRun },
    occurredAt,
    createdAt,
    nextAttemptAt: record.nextAttemptAt ?? null,
    finishedAt: record.finishedAt ?? null,
    error: record.error ?? null,
  };
}

/** How a delivery is shown by itself. */
export function toDelivery(record: DeliveryRecord): Delivery {
  return { ...toSummary(record), attempts: record.attempts, body: record.body };
}
