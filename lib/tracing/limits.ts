import type * as z from 'zod';
import type { spanLimitsSchema } from '../../functions/tracing/ingest/limits.ts';
import type { BundledFunction, FunctionSettings } from '../constructs/function.ts';

/** Tells a function what spans may have. */
export function addLimits(fn: BundledFunction, { config }: FunctionSettings): void {
  const limits: z.input<typeof spanLimitsSchema> = config.tracing.limits;
  fn.addEnvironment('TRACING_LIMITS', JSON.stringify(limits));
}
