import * as z from 'zod';
import { storedObjectSchema } from '../workflow.ts';

const count = z.number().int().min(0);

/** What the manifest says of the files. */
export const filesSectionSchema = z.strictObject({
  /** The bucket whose objects' current versions these are. */
  bucket: z.string(),
  /** When the listing of the bucket began. */
  listedAt: z.iso.datetime(),
  count,
  /** Of all files together. */
  bytes: count,
  /** The list of files: JSON, one a line, in the order of their keys. */
  index: storedObjectSchema,
  /** The objects that the index refers to by their position. */
  objects: z.array(storedObjectSchema),
});
export type FilesSection = z.output<typeof filesSectionSchema>;
