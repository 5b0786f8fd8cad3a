import * as z from 'zod';
import { storedObjectSchema } from '../workflow.ts';

/** What the manifest says of the configuration. */
export const configurationSectionSchema = z.strictObject({
  /** When it was read. */
  at: z.iso.datetime(),
  /** One JSON document, without secrets. */
  object: storedObjectSchema,
});
export type ConfigurationSection = z.output<typeof configurationSectionSchema>;
