import * as z from 'zod';
import { spanLimitsSchema } from '../../functions/tracing/ingest/limits.ts';
import { integer } from './parts.ts';

/** How long traces are kept, and how large their spans may be. */
export const tracingSchema = z.strictObject({
  retentionDays: integer(1, 90)
    .default(7)
    .describe('How long spans are kept, in days. All that are accepted are kept so long.'),
  limits: spanLimitsSchema.prefault({}),
});
export type TracingConfig = z.output<typeof tracingSchema>;
