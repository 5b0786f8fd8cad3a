import * as z from 'zod';
import { keyTypes } from './hash/keys.ts';

/** Which instances reads go to, unless whoever reads says otherwise. */
export const readPreferences = ['primary', 'secondaryPreferred', 'nearest'] as const;
/** When a write counts as done: written by the writer alone, or by a majority (a synchronous standby, Aurora's storage). */
export const writeDurabilities = ['majority', 'writer'] as const;

export type ReadPreference = (typeof readPreferences)[number];
export type WriteDurability = (typeof writeDurabilities)[number];

/** One column that keys of an entity are in. */
const keyColumnSchema = z.strictObject({ table: z.string(), column: z.string() });

/** What keys there are, and how they are spread: the deployment's settings, as its functions get them. */
export const shardingSchema = z.strictObject({
  entities: z.array(
    z.strictObject({
      kind: z.string(),
      keyType: z.enum(keyTypes),
      tables: z.array(keyColumnSchema),
    }),
  ),
  pins: z.array(z.strictObject({ tenant: z.string(), shard: z.string() })),
  readPreference: z.enum(readPreferences),
  writeDurability: z.enum(writeDurabilities),
});
export type Sharding = z.output<typeof shardingSchema>;
