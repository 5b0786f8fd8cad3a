import * as z from 'zod';

/** What EventBridge sends every minute. */
export const probeEventSchema = z.strictObject({ traceparent: z.string().optional() });

/** What one invocation has done. */
export const probeResultSchema = z.strictObject({
  /** Slots of the minute in which shards were probed. */
  rounds: z.number().int().min(0),
  /** Slots that had passed already when the invocation began. */
  missed: z.number().int().min(0),
});
export type ProbeResult = z.output<typeof probeResultSchema>;
