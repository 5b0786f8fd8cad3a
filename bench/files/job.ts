import * as z from 'zod';
import { storeFactsSchema } from '../backup/store.ts';

/** What one measured process of ours does. */
export const jobSchema = z.strictObject({
  store: storeFactsSchema,
  /** The bucket of the files. */
  assets: z.string(),
  /** Whether every stored object is read back as well. */
  verify: z.boolean(),
});
export type FilesJob = z.output<typeof jobSchema>;

export const resultSchema = z.strictObject({
  files: z.number(),
  objects: z.number(),
  bytes: z.number(),
  storedBytes: z.number(),
  cpuSeconds: z.number(),
  peakRssBytes: z.number(),
});
export type FilesResult = z.output<typeof resultSchema>;
