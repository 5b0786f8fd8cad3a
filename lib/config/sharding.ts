import * as z from 'zod';
import { keyTypes } from '../../functions/shards/hash/keys.ts';
import { readPreferences, writeDurabilities } from '../../functions/shards/sharding.ts';
import { integer, scheduleExpression } from './parts.ts';

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

const part = z.number().min(0).max(1_000);

/** A schedule of an EventBridge rule: the expressions of a schedule, at least a quarter of an hour apart. */
const scheduleSchema = scheduleExpression.refine(
  (expression) => !/^rate\(([1-9]|1[0-4]) minutes?\)$/.test(expression),
  'an analysis takes up to a quarter of an hour: leave it that',
);

/** When shards count as uneven, and what is made of that. */
const balanceConfigSchema = z.strictObject({
  schedule: scheduleSchema
    .nullable()
    .default('cron(30 3 * * ? *)')
    .describe(
      'When shards are analyzed, in UTC; `null`: when somebody asks. It wakes instances that have paused.',
    ),
  threshold: z
    .number()
    .min(0.01)
    .max(2)
    .default(0.2)
    .describe(
      'Coefficient of variation of the shards’ load over which moves are recommended and the alarm shards-uneven is raised.',
    ),
  alarmRows: integer(0, Number.MAX_SAFE_INTEGER)
    .default(10_000)
    .describe('With fewer rows than this on all shards together there is no alarm.'),
  minImprovement: z
    .number()
    .min(0)
    .max(1)
    .default(0.02)
    .describe('A plan that makes the coefficient of variation better by less than this is none.'),
  maxMoves: integer(1, 5_000).default(250).describe('Most moves of one plan.'),
  weights: z
    .strictObject({
      rows: z
        .record(z.string(), part)
        .default({})
        .describe('How much the rows of each entity count; 1 where it is not named.'),
      bytes: part.default(1).describe('How much bytes on disk count.'),
      load: part.default(1).describe('How much the tuples read and written a second count.'),
    })
    .prefault({})
    .describe('What the load of a shard is made of: the parts of each measure, by these weights.'),
  shards: z
    .record(
      z.string(),
      z.strictObject({
        weight: z
          .number()
          .min(0.01)
          .max(1_000)
          .default(1)
          .describe('What part of the load it should have, beside those of others.'),
        capacityBytes: integer(1, Number.MAX_SAFE_INTEGER)
          .optional()
          .describe('What fits it: plans put no more there, and from nine tenths on nothing.'),
      }),
    )
    .default({})
    .describe('What shards can take, by name; those that are not named have the weight 1 and any room.'),
  sampleRows: integer(10_000, 100_000_000)
    .default(1_000_000)
    .describe('Tables of more than twice as many rows are sampled: about so many are read.'),
  maxLagSeconds: integer(0, 86_400)
    .default(60)
    .describe('Readers further behind are not asked, and shards that have such are left alone, in seconds.'),
  moveBytesPerSecond: integer(1, 10_000_000_000)
    .default(20_000_000)
    .describe('How fast you move rows from shard to shard: what the time of a plan is estimated by.'),
  movePricePerGb: z
    .number()
    .min(0)
    .max(1_000)
    .default(0.05)
    .describe(
      'What moving a GB costs in US dollars: transfer between zones both ways, I/O of both clusters.',
    ),
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
    balance: balanceConfigSchema.prefault({}),
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
  for (const name of Object.keys(sharding.balance.shards)) {
    if (shards.some(({ name: known }) => known === name)) continue;
    context.addIssue({
      code: 'custom',
      path: ['sharding', 'balance', 'shards', name],
      message: `there is no shard ${name}`,
    });
  }
  for (const kind of Object.keys(sharding.balance.weights.rows)) {
    if (sharding.entities.some((entity) => entity.kind === kind)) continue;
    context.addIssue({
      code: 'custom',
      path: ['sharding', 'balance', 'weights', 'rows', kind],
      message: `there is no entity ${kind}`,
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
