import * as z from 'zod';
import { restoreIdSchema } from '../../functions/recovery/ids.ts';
import {
  compareWorkSchema,
  loadWorkSchema,
  shardPlanSchema,
} from '../../functions/recovery/restore/events.ts';
import { connectionSchema } from '../backup/connection.ts';
import { storeFactsSchema } from '../backup/store.ts';

/** What one measured process of ours does, in the database that its connection names. */
export const restoreJobSchema = z.discriminatedUnion('mode', [
  /** The least that loading can be: files of COPY text go to the server as they are. */
  z.strictObject({
    mode: z.literal('copy'),
    connection: connectionSchema,
    files: z.array(z.strictObject({ sql: z.string(), path: z.string() })),
  }),
  /** Statements by themselves, as a script has them. */
  z.strictObject({
    mode: z.literal('statements'),
    connection: connectionSchema,
    statements: z.array(z.string()),
  }),
  /** What the function of rows does with one item. */
  z.strictObject({
    mode: z.literal('load'),
    connection: connectionSchema,
    store: storeFactsSchema,
    tables: shardPlanSchema.shape.tables,
    work: loadWorkSchema,
  }),
  /** Everything after the rows. */
  z.strictObject({
    mode: z.literal('finish'),
    connection: connectionSchema,
    store: storeFactsSchema,
    restoreId: restoreIdSchema,
    plan: shardPlanSchema,
  }),
  /** Reads rows again and digests them. */
  z.strictObject({
    mode: z.literal('compare'),
    connection: connectionSchema,
    tables: shardPlanSchema.shape.tables,
    work: compareWorkSchema,
  }),
]);
export type RestoreJob = z.output<typeof restoreJobSchema>;
export type RestoreJobOf<Mode extends RestoreJob['mode']> = Extract<RestoreJob, { mode: Mode }>;

/** What a measured process reports: between the word to begin and the end of its work. */
export const restoreLaneResultSchema = z.strictObject({
  cpuSeconds: z.number(),
  /** Most memory that was resident at once since the process began. */
  peakRssBytes: z.number(),
  /** Of a comparison. */
  compared: z.array(z.strictObject({ table: z.number(), rows: z.number(), digest: z.string() })),
});
export type RestoreLaneResult = z.output<typeof restoreLaneResultSchema>;
