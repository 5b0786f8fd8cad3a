import * as z from 'zod';
import { gateEnvironment } from '../access/environment.ts';
import { defineContract } from '../shared/contract.ts';
import { jsonVariable } from '../shared/json-variable.ts';
import { analyzeEventSchema, analyzeResultSchema } from './balance/events.ts';
import { balanceRoutes } from './balance/routes.ts';
import { BALANCE, COUNTED } from './balance/settings.ts';
import { keyTypes } from './hash/keys.ts';
import { healthEventSchema, healthResultSchema } from './health/events.ts';
import { healthReportSchema } from './health/model.ts';
import { healthSettingsSchema } from './health/settings.ts';
import { insightsEventSchema, insightsReportSchema, insightsViewSchema } from './insights/model.ts';
import { maintainEventSchema, maintainResultSchema, maintenanceSettingsSchema } from './maintenance/model.ts';
import { mapChangedSchema, mapChangeSchema } from './map/change-map.ts';
import { readPreferences, shardingSchema, writeDurabilities } from './sharding.ts';

const addressSchema = z.strictObject({ host: z.string(), port: z.int() });
const instanceSchema = addressSchema.extend({
  instance: z.string(),
  status: z.string().describe('As RDS says it; `unknown` where nobody says.'),
});

const placeSchema = z.strictObject({
  shard: z.string(),
  database: z.string(),
  shardEpoch: z
    .int()
    .describe('Rises with every promotion and restore of the shard; a writer of an older epoch is none.'),
  writer: addressSchema,
  readers: z.array(instanceSchema).describe('As last discovered; empty where the shard has none.'),
});

export const routeSchema = placeSchema.extend({
  kind: z.string().meta({ examples: ['user'] }),
  keyType: z.enum(keyTypes),
  key: z.string(),
  hash: z.string().describe('A signed number of 64 bits: PostgreSQL’s own hash of the key, with the seed 0.'),
  slot: z.int(),
  pinned: z.boolean().describe('Whether the tenant is pinned to the shard, so that the slot does not count.'),
  mapEpoch: z.int().describe('Rises with every change of the map.'),
  readPreference: z.enum(readPreferences),
});
export type Route = z.output<typeof routeSchema>;

const replicaSchema = instanceSchema.extend({
  reachable: z.boolean().nullable().describe('At `measuredAt`; `null`: nobody has looked.'),
  lagBytes: z.int().min(0).nullable().describe('Written by the writer and not replayed, at `measuredAt`.'),
  lagSeconds: z.number().min(0).nullable().describe('How long the writer’s latest write had been missing.'),
});

export const shardingViewSchema = z.strictObject({
  strategy: z.literal('hash'),
  slots: z.int(),
  mapEpoch: z.int(),
  changedAt: z.iso.datetime(),
  readPreference: z.enum(readPreferences),
  writeDurability: z.enum(writeDurabilities),
  entities: z.array(
    z.strictObject({
      kind: z.string(),
      keyType: z.enum(keyTypes),
      sqlHash: z.string().describe('The function of PostgreSQL that gives the same hash.'),
      tables: z.array(z.strictObject({ table: z.string(), column: z.string() })),
    }),
  ),
  pins: z.array(z.strictObject({ tenant: z.string(), shard: z.string() })),
  shards: z.array(
    placeSchema.extend({
      readers: z.array(replicaSchema).describe('As last discovered; empty where the shard has none.'),
      slots: z.int().describe('How many slots lie on it.'),
      ranges: z.array(z.strictObject({ first: z.int(), last: z.int() })),
      measuredAt: z.iso
        .datetime()
        .nullable()
        .describe('When its size and its readers’ lag were measured, on schedule; `null`: not yet.'),
      sizeBytes: z.int().min(0).nullable().describe('Of its database, at `measuredAt`.'),
    }),
  ),
});

export const shardsContract = defineContract({
  name: 'shards',
  title: 'Shards',
  description: 'Where keys live, and whether the shards are healthy and balanced.',
  routes: {
    health: {
      method: 'GET',
      path: '/api/database/health',
      scope: 'shards:read',
      summary: 'How the shards stand: reachable, in their roles, lag, load',
      description:
        'Every instance is looked at, all at the same time and each within `health.timeoutMs`. Where that cannot be done now, the answer is what the schedule recorded last, and says so: see `source` and `at`. The status is 200 whatever the state is.',
      query: z.strictObject({
        shard: z.string().min(1).max(31).optional().describe('Only this one; default: all.'),
      }),
      responses: { 200: { description: 'How they stand.', schema: healthReportSchema } },
    },
    insights: {
      method: 'GET',
      path: '/api/database/insights',
      scope: 'shards:read',
      summary: 'Slow statements, indexes too many and too few, bloat, pools',
      description:
        'Read now, from what the server itself counts; no table is read for it. At most 20 of each kind, the worst first. They are hints: an index that was never scanned may be needed at the end of the year.',
      query: z.strictObject({
        shard: z.string().min(1).max(31).optional().describe('Only this one; default: all.'),
      }),
      responses: { 200: { description: 'What the statistics tell.', schema: insightsViewSchema } },
    },
    route: {
      method: 'GET',
      path: '/api/database/route',
      scope: 'shards:read',
      summary: 'Slot, shard and endpoints of a key',
      description:
        'The hash is PostgreSQL’s own, so SQL that runs on a shard comes to the same slot: `hash & (slots - 1)`. The answer is at most ten seconds old where the map changes, thirty where instances do.',
      query: z.strictObject({
        key: z.string().min(1).max(2048),
        kind: z
          .string()
          .min(1)
          .max(31)
          .optional()
          .describe('Which entity; default: the first one configured.'),
        tenant: z
          .string()
          .min(1)
          .max(128)
          .optional()
          .describe('Whose key it is: a tenant may be pinned to a shard.'),
      }),
      responses: { 200: { description: 'Where the key lives.', schema: routeSchema } },
    },
    sharding: {
      method: 'GET',
      path: '/api/database/sharding',
      scope: 'shards:read',
      summary: 'The shard map, the sizes of shards, and their replicas',
      description:
        'Where shards are is at most a second old, so that clients find a new writer; sizes and lag are what the schedule of `health` measured last.',
      responses: { 200: { description: 'All of it.', schema: shardingViewSchema } },
    },
    moveSlots: {
      method: 'POST',
      path: '/api/database/sharding/slots',
      scope: 'admin',
      summary: 'Note that slots lie elsewhere',
      description:
        'For whoever has moved the rows: none is moved by it. Of two who change the same map one does, and the other is told so (409). Everybody follows within half a minute; until then, writes of those slots still go where they went. Every map stays in the history.',
      body: mapChangeSchema,
      responses: { 200: { description: 'The map that holds now.', schema: mapChangedSchema } },
    },
    ...balanceRoutes,
  },
  functions: {
    /** Outside the VPC: reads the shards table, and invokes `health` for how shards stand now. */
    api: {
      environment: gateEnvironment.extend({
        SHARDS_TABLE: z.string().min(1),
        SHARDING: jsonVariable.pipe(shardingSchema),
        BALANCE,
        RECOVERY_TABLE: z.string().min(1).describe('Which backups and restores run.'),
        ANALYZE_FUNCTION_ARN: z.string().startsWith('arn:').describe('Invoked, and not waited for.'),
        HEALTH_FUNCTION_ARN: z.string().startsWith('arn:'),
        INSIGHTS_FUNCTION_ARN: z.string().startsWith('arn:'),
        HEALTH_TIMEOUT_MS: z.coerce
          .number()
          .int()
          .describe('How long `health` gives one instance, in milliseconds.'),
      }),
    },
    /** In the VPC, as `mainstay_stats`: looks at all instances of the shards. On schedule it keeps and publishes what it finds. */
    health: {
      environment: z.object({
        SHARDS_TABLE: z.string().min(1),
        HEALTH: jsonVariable.pipe(healthSettingsSchema),
      }),
      event: healthEventSchema,
      result: healthResultSchema,
    },
    /** In the VPC, as `mainstay_stats`: reads what the shards count of statements, indexes, tables and connections. */
    insights: {
      environment: z.object({
        SHARDS_TABLE: z.string().min(1),
        HEALTH: jsonVariable.pipe(healthSettingsSchema),
      }),
      event: insightsEventSchema,
      result: insightsReportSchema,
    },
    /** In the VPC, as `mainstay_maintain`, on schedule: says what the databases need, and does it where that is wanted. */
    maintain: {
      environment: z.object({
        SHARDS_TABLE: z.string().min(1),
        BACKUPS_BUCKET: z.string().min(1),
        MAINTENANCE: jsonVariable.pipe(maintenanceSettingsSchema),
      }),
      event: maintainEventSchema,
      result: maintainResultSchema,
    },
    /**
     * In the VPC, as `mainstay_stats`: counts what lies on the shards by slot. Reads the items `SHARD`, `MAP`, `INSTANCES` and `PROBE` of
     * the shards table, writes `ANALYSIS` and what begins with it.
     */
    analyze: {
      environment: z.object({ SHARDS_TABLE: z.string().min(1), BALANCE, COUNTED }),
      event: analyzeEventSchema,
      result: analyzeResultSchema,
    },
  },
});
