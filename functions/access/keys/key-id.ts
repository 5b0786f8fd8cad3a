import * as z from 'zod';

/** Names an API key in lists, logs and events: the public part of the key, between its underscores. */
export const keyIdSchema = z
  .string()
  .regex(/^[a-z2-7]{8}$/, 'has 8 lower-case letters and digits from 2 to 7')
  .brand<'KeyId'>()
  .meta({ title: 'Key id', examples: ['k7q2mzt4'] });
export type KeyId = z.output<typeof keyIdSchema>;
