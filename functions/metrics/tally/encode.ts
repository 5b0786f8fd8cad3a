import * as z from 'zod';
import { QuantileSketch } from '../../shared/sketches/quantile.ts';
import { packJson, unpackJson } from '../packed.ts';
import { errorKey, statusClasses, Tally } from './tally.ts';

const count = z.int().min(0);
const base64Sketch = z.string().transform((text) => QuantileSketch.fromBytes(Buffer.from(text, 'base64')));

const storedSchema = z.strictObject({
  version: z.literal(1),
  routes: z.record(
    z.string(),
    z.strictObject({
      service: z.string(),
      codes: z.partialRecord(z.enum(statusClasses), count),
      latency: base64Sketch,
      sumMs: z.number(),
      exemplar: z.strictObject({ traceId: z.string(), durationMs: z.number(), at: z.number() }).optional(),
    }),
  ),
  functions: z.record(
    z.string(),
    z.strictObject({
      service: z.string(),
      invocations: count,
      errors: count,
      coldStarts: count,
      duration: base64Sketch,
      sumMs: z.number(),
      peakMemoryBytes: z.number(),
      memoryLimitBytes: z.number(),
    }),
  ),
  tenants: z
    .record(
      z.string(),
      z.strictObject({
        codes: z.partialRecord(z.enum(statusClasses), count),
        sumMs: z.number(),
        edgeRequests: count,
        edgeBytes: count,
      }),
    )
    .default({}),
  errors: z.array(
    z.strictObject({
      type: z.string(),
      where: z.string(),
      pattern: z.string(),
      count,
      firstAt: z.number(),
      lastAt: z.number(),
      traceId: z.string().optional(),
    }),
  ),
});

const sketched = (sketch: QuantileSketch): string => Buffer.from(sketch.toBytes()).toString('base64');

/** A tally in few bytes, as it is stored. */
export function encodeTally(tally: Tally): Uint8Array {
  const stored: z.input<typeof storedSchema> = {
    version: 1,
    routes: Object.fromEntries(
      [...tally.routes].map(([name, route]) => [name, { ...route, latency: sketched(route.latency) }]),
    ),
    functions: Object.fromEntries(
      [...tally.functions].map(([name, fn]) => [name, { ...fn, duration: sketched(fn.duration) }]),
    ),
    tenants: Object.fromEntries(tally.tenants),
    errors: [...tally.errors.values()],
  };
  return packJson(stored);
}

/**
 * Reads what `encodeTally` has written.
 *
 * @throws when it is none.
 */
export function decodeTally(bytes: Uint8Array): Tally {
  const stored = unpackJson(bytes, storedSchema);
  const tally = new Tally();
  for (const [name, route] of Object.entries(stored.routes)) {
    tally.routes.set(name, { ...route, exemplar: route.exemplar });
  }
  for (const [name, fn] of Object.entries(stored.functions)) tally.functions.set(name, fn);
  for (const [name, tenant] of Object.entries(stored.tenants)) tally.tenants.set(name, tenant);
  for (const error of stored.errors) tally.errors.set(errorKey(error), { ...error, traceId: error.traceId });
  return tally;
}
