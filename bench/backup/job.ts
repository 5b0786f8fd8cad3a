import * as z from 'zod';
import { chunkWorkSchema } from '../../functions/recovery/workflow.ts';
import { connectionSchema } from './connection.ts';
import { storeFactsSchema } from './store.ts';

/** What one measured process of ours does. */
export const jobSchema = z.strictObject({
  /**
   * `copy`: read and drop. `null`: the whole pipeline, with a store that keeps nothing. `store`: the whole pipeline.
   * `verify`: each item is read back as well.
   */
  mode: z.enum(['copy', 'null', 'store', 'verify']),
  connection: connectionSchema,
  items: z.array(chunkWorkSchema),
  store: storeFactsSchema,
});
export type Job = z.output<typeof jobSchema>;

/** What a measured process reports: between the word to begin and the end of its work. */
export const laneResultSchema = z.strictObject({
  /** COPY text. */
  textBytes: z.number(),
  storedBytes: z.number(),
  cpuSeconds: z.number(),
  /** Most memory that was resident at once since the process began. */
  peakRssBytes: z.number(),
});
export type LaneResult = z.output<typeof laneResultSchema>;
