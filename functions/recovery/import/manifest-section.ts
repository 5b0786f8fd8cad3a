import * as z from 'zod';
import { storedObjectSchema } from '../workflow.ts';
import { dumpFormatSchema, dumpNameSchema, packingSchema } from './model.ts';

const count = z.number().int().min(0);
const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** What the manifest of an import says of the dump. */
export const importSectionSchema = z.strictObject({
  name: dumpNameSchema,
  format: dumpFormatSchema,
  /** How the dump came compressed. */
  packing: packingSchema,
  /** Of the dump, hex. */
  sha256: digest,
  sizeBytes: count,
  /** The contents of these, one after the other, are the dump. */
  segments: z.array(storedObjectSchema).min(1),
  /** SHA-256 of the content of each segment, hex, in the same order. */
  segmentSha256: z.array(digest).min(1),
});
export type ImportSection = z.output<typeof importSectionSchema>;
