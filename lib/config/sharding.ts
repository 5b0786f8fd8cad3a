import * as z from 'zod';
import { keyTypes } from '../../functions/shards/hash/keys.ts';
import { readPreferences, writeDurabilities } from '../../functions/shards/sharding.ts';
import { integer } from './parts.ts';

const name = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

const keyColumnSchema = z.strictObject({
  table: z
    .string()
    .regex(
      /^[A-Za-z_][A-Za-z0-9_]{0,62}([.][A-Za-z_][A-Za-z0-9_]{0,62})?$/,
      'a table, with its schema or without',
    )
    .describe('Table, with its schema where that is not `public`.'),
  column: z.string().regex(name, 'a plain column name').describe('Column that holds the key.'),
});

const entitySchema = z.strictObject({
  kind: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/, 'lower case letters, digits and hyphens, a letter first')
    .describe('What the entity is called in the API, for example `user`.'),
  keyType: z
    .enum(keyTypes)
    .default('uuid')
    .describe('Type of its key in the database. Never change it: keys would lie elsewhere.'),
  tables: z
    .array(keyColumnSchema)
    .max(100)
    .default([])
    .describe('Where its rows are; a row lies on the shard of its key. Analyses count these tables.'),
});

/** How keys are spread over the shards. */
export const shardingConfigSchema = z
  .strictObject({
    slots: integer(16, 65_536)
      .refine((slots) => Number.isInteger(Math.log2(slots)), 'is a power of two')
      .default(4096)
      .describe(
        'Hash buckets that keys fall into; whole slots lie on shards. A power of two. Never change it.',
      ),
    entities: z
      .array(entitySchema)
      .min(1)
      .max(50)
      .prefault([{ kind: 'user' }, { kind: 'content' }])
      .describe(
        'What is spread by a key of its own; the first is the one that is meant when a request names none.',
      ),
    pins: z
      .array(
        z.strictObject({
          tenant: z.string().min(1).max(128).describe('The tenant’s id.'),
          shard: z.string().describe('Where everything of that tenant lies, whatever its keys.'),
        }),
      )
      .max(1_000)
      .default([])
      .describe('Tenants that have a shard whatever their keys.'),
    readPreference: z
      .enum(readPreferences)
      .default('secondaryPreferred')
      .describe('Where reads go unless a service says otherwise; a reader may lag behind the writer.'),
    writeDurability: z
      .enum(writeDurabilities)
      .default('majority')
      .describe(
        'When a write counts as done: on a majority (Aurora’s storage, or a synchronous standby), or on the writer alone.',
      ),
  })
  .superRefine(({ entities, pins }, context) => {
    const twice = (path: string, member: string, values: readonly string[]) =>
      values.forEach((value, index) => {
        if (values.indexOf(value) === index) return;
        context.addIssue({
          code: 'custom',
          path: [path, index, member],
          message: `${value} is there already`,
        });
      });
    twice(
      'entities',
      'kind',
      entities.map(({ kind }) => kind),
    );
    twice(
      'pins',
      'tenant',
      pins.map(({ tenant }) => tenant),
    );
  });
export type ShardingConfig = z.output<typeof shardingConfigSchema>;

/** Of the 4 KB that a function's environment may have. */
const mostBytes = 2_048;

/** Pins lead to shards of the deployment, and all of it fits where functions read it. */
export function checkSharding(
  { sharding, shards }: { sharding: ShardingConfig; shards: readonly { name: string }[] },
  context: z.RefinementCtx,
): void {
  const bytes = Buffer.byteLength(JSON.stringify(sharding));
  if (bytes > mostBytes) {
    context.addIssue({
      code: 'custom',
      path: ['sharding'],
      message: `takes ${bytes} bytes as JSON, and a function’s environment has room for ${mostBytes}: name fewer tables or pins`,
    });
  }
  sharding.pins.forEach(({ shard }, index) => {
    if (shards.some(({ name: known }) => known === shard)) return;
    context.addIssue({
      code: 'custom',
      path: ['sharding', 'pins', index, 'shard'],
      message: `there is no shard ${shard}`,
    });
  });
}
