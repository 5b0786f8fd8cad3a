import * as z from 'zod';
import { traceparentSchema } from '../shared/traceparent.ts';

const ended = {
  shard: z.string(),
  /** Of the execution, and of the operation that it is. */
  name: z.string(),
  traceparent: traceparentSchema,
};

/** The last state of the workflow, and EventBridge's report of an execution that did not succeed. */
export const concludeEventSchema = z.union([
  /** Every step was done. */
  z.strictObject(ended),
  z.strictObject({ ...ended, error: z.looseObject({ Error: z.string(), Cause: z.string().optional() }) }),
  z.looseObject({
    source: z.literal('aws.states'),
    detail: z.looseObject({
      name: z.string(),
      status: z.enum(['FAILED', 'TIMED_OUT', 'ABORTED']),
      input: z.string(),
      error: z.string().nullish(),
      cause: z.string().nullish(),
    }),
  }),
]);
export type ConcludeEvent = z.output<typeof concludeEventSchema>;

export const concludeResultSchema = z.object({ outcome: z.enum(['completed', 'failed', 'nothing-to-do']) });
