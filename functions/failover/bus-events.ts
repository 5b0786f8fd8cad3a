import * as z from 'zod';
import { traceparentSchema } from '../shared/traceparent.ts';
import { briefSchema } from './record.ts';

/** The `source` of failover's events on the platform's bus. */
export const eventSource = 'mainstay.failover';

const common = {
  version: z.literal(1).meta({ description: 'Changes when a field changes its meaning or is removed.' }),
  at: z.iso.datetime(),
  traceparent: traceparentSchema,
  shard: z.string(),
  reason: z.string(),
};
const about = briefSchema.shape;
const by = z.string().meta({ description: 'Id of the key that asked.' });

/** What failover tells the platform, by `detail-type`. Each may come more than once. */
export const busEvents = {
  'failover.suspected': z.strictObject(common),
  'failover.recovered': z.strictObject(common),
  'failover.started': z.strictObject({ ...common, ...about, by: by.optional() }),
  'failover.completed': z.strictObject({
    ...common,
    ...about,
    by: by.optional(),
    rtoMs: z
      .number()
      .int()
      .min(0)
      .nullable()
      .meta({ description: 'From the first failed probe to the first write on the new writer.' }),
    rpoBytes: z.number().int().min(0).nullable().meta({
      description: 'Log that the old writer was known to have and the new one has not; null: not known.',
    }),
  }),
  'failover.held': z.strictObject(common),
  'failover.paused': z.strictObject({ ...common, by }),
  'failover.resumed': z.strictObject({ ...common, by }),
};
