import * as z from 'zod';
import { chunkWorkSchema, storedObjectSchema } from '../../functions/recovery/workflow.ts';
import { connectionSchema } from '../backup/connection.ts';
import { laneResultSchema } from '../backup/job.ts';
import { storeFactsSchema } from '../backup/store.ts';

/** A backup that one measured process takes, in full or with reference to an earlier one: the items say which. */
export const jobSchema = z.strictObject({
  backupId: z.string(),
  connection: connectionSchema,
  items: z.array(chunkWorkSchema),
  store: storeFactsSchema,
});
export type Job = z.output<typeof jobSchema>;

export const resultSchema = laneResultSchema.extend({ objects: z.array(storedObjectSchema) });
export type Result = z.output<typeof resultSchema>;
