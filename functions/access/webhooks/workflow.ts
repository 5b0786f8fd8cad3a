import * as z from 'zod';
import { executionStatusEventSchema } from '../../recovery/workflow.ts';
import { traceparentSchema } from '../../shared/traceparent.ts';
import { deliveryIdSchema, webhookIdSchema } from './ids.ts';

/** What passes between the states of the delivery workflow: which attempt of which run of which delivery. */
const work = {
  webhookId: webhookIdSchema,
  deliveryId: deliveryIdSchema,
  run: z.int().min(1),
  attempt: z.int().min(1),
  traceparent: traceparentSchema,
};

/** The input of an execution, and of each attempt. */
export const attemptWorkSchema = z.strictObject(work);
export type AttemptWork = z.output<typeof attemptWorkSchema>;

/** `Attempt`'s result is the whole state from there on: the next attempt, when there is one. */
export const attemptResultSchema = z.strictObject({
  ...work,
  outcome: z.enum(['again', 'ended']),
  waitSeconds: z.int().min(0),
});
export type AttemptResult = z.output<typeof attemptResultSchema>;

/** From the workflow; or EventBridge's report that an execution ended other than by success. */
export const deliverEventSchema = z.union([executionStatusEventSchema, attemptWorkSchema]);
export type ExecutionReport = z.output<typeof executionStatusEventSchema>;
