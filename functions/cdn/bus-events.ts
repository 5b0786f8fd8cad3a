import * as z from 'zod';
import { traceparentSchema } from '../shared/traceparent.ts';
import { purgeIdSchema } from './ids.ts';

/** The `source` of the CDN's events on the platform's bus. */
export const eventSource = 'mainstay.cdn';

const count = z.number().int().min(0);
const error = z.strictObject({ code: z.string(), message: z.string() });
const common = {
  version: z.literal(1).meta({ description: 'Changes when a field changes its meaning or is removed.' }),
  at: z.iso.datetime(),
  traceparent: traceparentSchema,
};
const purge = {
  ...common,
  purgeId: purgeIdSchema,
  trigger: z.enum(['api', 'content']),
  domain: z.string(),
  items: z.strictObject({ paths: count, prefixes: count, tags: count, everything: z.boolean() }),
};
/** What the CDN tells the platform, by `detail-type`. Each may come more than once. */
export const busEvents = {
  'purge.completed': z.strictObject({
    ...purge,
    durationMs: count,
    verification: z.enum(['confirmed', 'inconclusive', 'none']),
  }),
  'purge.failed': z.strictObject({ ...purge, error }),
  'purge.canceled': z.strictObject(purge),
};
