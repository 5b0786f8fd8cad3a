import * as z from 'zod';

/** How a tenant's rows are told from those of others: by the schema they are in, or by a column that names it. */
export const tenantKinds = ['schema', 'key'] as const;

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused.
const controlCharacters = /[\u0000-\u001f\u007f]/;

/** A tenant as the platform's databases name it; whatever text that is. */
export const tenantIdSchema = z
  .string()
  .min(1)
  .max(200)
  .refine((id) => id.isWellFormed() && !controlCharacters.test(id), 'has no control characters')
  .meta({ description: 'As the schema’s name or the key column has it.', examples: ['acme'] });

/** Which tenant a backup or a restore is of. */
export const tenantSchema = z
  .strictObject({
    id: tenantIdSchema,
    by: z.enum(tenantKinds).meta({
      description:
        '`schema`: what is in its schema. `key`: the rows that name it in the key column, and the tables that all tenants share.',
    }),
  })
  .meta({
    title: 'Tenant of a backup',
    description: 'How schemas and key columns are named is the deployment’s configuration.',
  });
export type Tenant = z.output<typeof tenantSchema>;

/** The name of a table or a column, in PostgreSQL's bounds. */
const maxNameBytes = 63;
export const isName = (name: string): boolean =>
  name.length > 0 && Buffer.byteLength(name) <= maxNameBytes && !controlCharacters.test(name);
const nameSchema = z.string().refine(isName, 'has 1 to 63 bytes and no control characters');

/** A table as SQL writes it: `app.users`, quoted where SQL needs it. */
const tableNameSchema = z
  .string()
  .max(300)
  .regex(
    /^([a-z_][a-z0-9_$]*|"([^"]|"")+")\.([a-z_][a-z0-9_$]*|"([^"]|"")+")$/,
    'is a schema and a name, such as app.users or "App"."Users"',
  );

const keySchema = z.strictObject({
  column: nameSchema.describe(
    'The column that names the tenant of a row, in every table that has one of that name.',
  ),
  tables: z
    .record(tableNameSchema, nameSchema)
    .default({})
    .describe(
      'The tables whose column is another: `{ "app.orders": "customer_id" }`. Of a partitioned table for all its partitions.',
    ),
  shared: z
    .array(tableNameSchema)
    .max(100)
    .default([])
    .describe(
      'Tables without such a column that are copied whole. Of all others, a tenant’s backup has no rows.',
    ),
});

/** The configuration has to fit, as JSON, into the environment of a function, which is 4 KB. */
const maxConfigBytes = 2_048;

/** How the platform keeps its tenants apart. */
export const tenantsConfigSchema = z
  .strictObject({
    schema: z
      .string()
      .regex(/^[^{}"]*\{id\}[^{}"]*$/, 'has {id} once, and no other braces or quotes')
      .refine((template) => !/^pg_/i.test(template), 'begins like the names that PostgreSQL keeps to itself')
      .refine((template) => isName(template.replace('{id}', '')), 'leaves no room for an id')
      .or(z.literal('{id}'))
      .optional()
      .describe('The name of a tenant’s schema, `{id}` in the place of its id: `tenant_{id}`.'),
    key: keySchema.optional().describe('By which column a tenant’s rows are told apart.'),
  })
  .superRefine(({ key }, context) => {
    const twice = key?.shared.find((table) => Object.hasOwn(key.tables, table));
    if (twice === undefined) return;
    context.addIssue({
      code: 'custom',
      path: ['key', 'shared'],
      message: `${twice} has a key column by \`tables\`: it cannot be shared as well`,
    });
  })
  .refine((config) => Buffer.byteLength(JSON.stringify(config)) <= maxConfigBytes, {
    message: `takes more than ${maxConfigBytes} bytes as JSON: name fewer tables`,
  });
export type TenantsConfig = z.output<typeof tenantsConfigSchema>;

/** The same as a function is given it. */
export const TENANTS = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'is not JSON' });
      return z.NEVER;
    }
  })
  .pipe(tenantsConfigSchema)
  .optional()
  .describe(
    'How the platform keeps its tenants apart, as JSON; without it there are no backups of single tenants.',
  );

/** One tenant, and all that says which rows are its. */
const tenantBySchemaSchema = z.strictObject({
  id: tenantIdSchema,
  by: z.literal('schema'),
  schema: nameSchema,
});
export const tenantByKeySchema = z.strictObject({
  id: tenantIdSchema,
  by: z.literal('key'),
  ...keySchema.shape,
});
export type TenantByKey = z.output<typeof tenantByKeySchema>;
export const tenantSelectionSchema = z.discriminatedUnion('by', [tenantBySchemaSchema, tenantByKeySchema]);
export type TenantSelection = z.output<typeof tenantSelectionSchema>;

/** What a function that reads a shard has to know of it. */
export const shardTenantSchema = z.discriminatedUnion('by', [
  tenantBySchemaSchema,
  z.strictObject({ id: tenantIdSchema, by: z.literal('key') }),
]);
export type ShardTenant = z.output<typeof shardTenantSchema>;

/** The schema that is backed up by itself; nothing where it is all of them. */
export const schemaOf = (tenant: ShardTenant | undefined): string | undefined =>
  tenant?.by === 'schema' ? tenant.schema : undefined;

export const toShardTenant = (selection: TenantSelection): ShardTenant =>
  selection.by === 'schema' ? selection : { id: selection.id, by: selection.by };
