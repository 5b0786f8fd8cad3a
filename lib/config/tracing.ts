import * as z from 'zod';
import { spanLimitsSchema } from '../../functions/tracing/ingest/limits.ts';
import { integer } from './parts.ts';

/** How long traces are kept, and how large their spans may be. */
export const tracingSchema = z.strictObject({
  retentionDays: integer(1, 90)
    .default(7)
    .describe('How long spans are kept, in days. All that are accepted are kept so long.'),
  limits: spanLimitsSchema.prefault({}),
  canary: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe(
          'A trace is written by schedule and looked for. Off, nobody is told of traces that get lost.',
        ),
      everyMinutes: integer(1, 60).default(5).describe('How often that is done, in minutes.'),
      lateMs: integer(100, 15_000)
        .default(5_000)
        .describe('Time until a trace is found that raises an alarm, in ms.'),
    })
    .prefault({}),
});
export type TracingConfig = z.output<typeof tracingSchema>;
