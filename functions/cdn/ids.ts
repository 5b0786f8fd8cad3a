import * as z from 'zod';

const id = z.string().regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, 'is 26 digits and letters, a ULID');

/** Names a purge: the name of its Step Functions execution. */
export const purgeIdSchema = id
  .brand<'PurgeId'>()
  .meta({ title: 'Purge id', examples: ['01K9Z7A1B2C3D4E5F6G7H8J9KM'] });
export type PurgeId = z.output<typeof purgeIdSchema>;

/** Names a warming: the name of its Step Functions execution, or made of it where a schedule has started it. */
export const warmingIdSchema = id
  .brand<'WarmingId'>()
  .meta({ title: 'Warming id', examples: ['01K9Z8A1B2C3D4E5F6G7H8J9KM'] });
export type WarmingId = z.output<typeof warmingIdSchema>;
