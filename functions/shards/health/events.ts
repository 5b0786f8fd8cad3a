import * as z from 'zod';
import { shardHealthSchema } from './model.ts';

/** What the schedule sends, and the API when it is asked. */
export const healthEventSchema = z.strictObject({
  /** Keep what is found, and tell it as metrics. */
  record: z.boolean().default(false),
  /** The one shard that is meant; absent: all. */
  shard: z.string().optional(),
  traceparent: z.string().optional(),
});

export const healthResultSchema = z.strictObject({ shards: z.array(shardHealthSchema) });
