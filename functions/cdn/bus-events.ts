import * as z from 'zod';
import { traceparentSchema } from '../shared/traceparent.ts';
import { purgeIdSchema, warmingIdSchema } from './ids.ts';

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
const warming = {
  ...common,
  warmingId: warmingIdSchema,
  trigger: z.enum(['api', 'purge', 'schedule']),
  domain: z.string(),
  requests: count,
  failed: count,
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
  'warming.completed': z.strictObject({ ...warming, durationMs: count }),
  'warming.failed': z.strictObject({ ...warming, error }),
  'warming.canceled': z.strictObject(warming),
};
