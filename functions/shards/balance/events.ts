import * as z from 'zod';
import { traceparentSchema } from '../../shared/traceparent.ts';

/** What starts an analysis: the schedule, or somebody who asked for a fresh one. */
export const analyzeEventSchema = z.object({ traceparent: traceparentSchema.optional() });

export const analyzeResultSchema = z.object({
  /** `busy`: another one is going on. */
  outcome: z.enum(['done', 'busy']),
  shards: z.int(),
  /** Shards that could not be looked at. */
  failed: z.array(z.string()),
  variance: z.number().optional(),
});
export type AnalyzeResult = z.output<typeof analyzeResultSchema>;
