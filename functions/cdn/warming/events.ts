import * as z from 'zod';
import { executionStatusEventSchema } from '../../recovery/workflow.ts';
import { traceparentSchema } from '../../shared/traceparent.ts';
import { scheduleIdSchema } from './schedules/model.ts';

/** The input of an execution: of the API's, or of a schedule. */
export const warmingInputSchema = z.looseObject({
  traceparent: traceparentSchema.optional(),
  scheduleId: scheduleIdSchema.optional(),
});

/** A turn of the workflow; or EventBridge's report that an execution ended other than by success. */
export const runWarmingEventSchema = z.union([
  executionStatusEventSchema,
  z.strictObject({ execution: z.string().min(1).max(80), input: warmingInputSchema }),
]);

/** `again`: another turn is needed, after a wait. */
export const runWarmingResultSchema = z.strictObject({
  outcome: z.enum(['again', 'ended']),
  waitSeconds: z.number().int().min(0).max(3_600),
});
