import * as z from 'zod';

/** What stands between a request and its handler. */
export const modeSchema = z.enum(['bare', 'stack', 'gate']);
export type Mode = z.output<typeof modeSchema>;

export const jobSchema = z.object({
  mode: modeSchema,
  /** Of the store. */
  url: z.string(),
  /** How many requests to answer, one after another. */
  requests: z.int(),
});
export type LaneJob = z.output<typeof jobSchema>;

export const laneResultSchema = z.object({
  /** CPU time of the process for each request, in microseconds. */
  cpuUs: z.number(),
  p50Us: z.number(),
  p99Us: z.number(),
  /** Calls of the store. */
  questions: z.int(),
});
export type LaneResult = z.output<typeof laneResultSchema>;
