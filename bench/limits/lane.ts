import * as z from 'zod';
import { candidateSchema } from './candidates.ts';

/** What a lane does. */
export const jobSchema = z.object({
  candidate: candidateSchema,
  url: z.string(),
  /** The quota, in requests a minute. */
  requests: z.int(),
  /** How many decisions to make. */
  decisions: z.int(),
  /** Whose requests they are. */
  key: z.string(),
});
export type LaneJob = z.output<typeof jobSchema>;

export const laneResultSchema = z.object({
  letIn: z.int(),
  /** Calls of the store. */
  questions: z.int(),
  p50Us: z.number(),
  p99Us: z.number(),
});
export type LaneResult = z.output<typeof laneResultSchema>;
