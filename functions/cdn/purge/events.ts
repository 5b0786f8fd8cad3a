import * as z from 'zod';
import { executionStatusEventSchema } from '../../recovery/workflow.ts';
import { traceparentSchema } from '../../shared/traceparent.ts';
import { purgeIdSchema } from '../ids.ts';

/** The input of an execution of the workflow. */
export const purgeInputSchema = z.looseObject({ traceparent: traceparentSchema.optional() });

/** A turn of the workflow; or EventBridge's report that an execution ended other than by success. */
export const runPurgeEventSchema = z.union([
  executionStatusEventSchema,
  z.strictObject({ purgeId: purgeIdSchema, input: purgeInputSchema }),
]);

/** `again`: another turn is needed, after a wait. */
export const runPurgeResultSchema = z.strictObject({
  outcome: z.enum(['again', 'ended']),
  waitSeconds: z.number().int().min(0).max(3_600),
});

/** S3 has a new object, or a new version of one; the key is as it is, not encoded. */
export const contentChangedEventSchema = z.looseObject({
  'detail-type': z.literal('Object Created'),
  detail: z.looseObject({ object: z.looseObject({ key: z.string().min(1) }) }),
});
export const contentChangedResultSchema = z.strictObject({
  paths: z.number().int(),
  purgeId: z.string().nullable(),
});
