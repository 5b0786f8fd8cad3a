import * as z from 'zod';

const count = z.number().int().min(0);
export const itemSchema = z.record(z.string(), z.unknown());

/** A parameter of Systems Manager. The value of a `SecureString` is never decrypted, and left out. */
export const parameterSchema = z.strictObject({
  name: z.string(),
  type: z.string(),
  value: z.string(),
  version: count,
  lastModified: z.string(),
});
export type ConfigurationParameter = z.output<typeof parameterSchema>;

/** The platform's own tables, as far as what is in them was set and not counted. */
export const tableNames = [
  'tenants',
  'keys',
  'addressLists',
  'webhookEndpoints',
  'shards',
  'automation',
] as const;
export type TableName = (typeof tableNames)[number];

/** The configuration at one time, without secrets. */
export const configurationSchema = z.strictObject({
  format: z.literal('mainstay.configuration'),
  formatVersion: z.literal(1),
  at: z.iso.datetime(),
  /** The paths below which parameters were read. */
  parameterPaths: z.array(z.string()),
  /** In the order of their names. */
  parameters: z.array(parameterSchema),
  /** Items as DynamoDB has them, by what they are, in the order of their keys. A set is `{"$set": […]}`. */
  tables: z.strictObject({
    tenants: z.array(itemSchema),
    keys: z.array(itemSchema),
    addressLists: z.array(itemSchema),
    webhookEndpoints: z.array(itemSchema),
    shards: z.array(itemSchema),
    automation: z.array(itemSchema),
  }),
  /** Values and names that were left out. */
  redacted: count,
});
export type Configuration = z.output<typeof configurationSchema>;
