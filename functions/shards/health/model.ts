import * as z from 'zod';

export const healthStates = ['healthy', 'degraded', 'down'] as const;
export type HealthState = (typeof healthStates)[number];

/** Why a shard is not healthy. */
export const reasonCodes = [
  'timeout',
  'unreachable',
  'refused',
  'starting',
  'login-refused',
  'too-many-connections',
  'not-prepared',
  'wrong-role',
  'replica-lag',
  'not-streaming',
  'connections',
  'long-transactions',
  'blocked-queries',
  'wraparound',
] as const;
export type ReasonCode = (typeof reasonCodes)[number];

export const reasonSchema = z.strictObject({
  code: z.enum(reasonCodes),
  instance: z.string().optional().describe('Which instance; absent where nobody knows its name.'),
  message: z.string().meta({ examples: ['connect: no answer within 3000 ms'] }),
});
export type Reason = z.output<typeof reasonSchema>;

const count = z.int().min(0);

/** What an instance says of itself. */
export const loadSchema = z.strictObject({
  connections: z.strictObject({
    used: count,
    usable: count.describe('`max_connections` without those reserved for administrators.'),
    active: count,
    idleInTransaction: count,
  }),
  longTransactions: z.strictObject({
    count: count.describe('Older than `health.longTransactionSeconds`, prepared ones included, backups not.'),
    oldestSeconds: z.number().min(0).describe('Age of the oldest of all.'),
  }),
  blockedQueries: z.strictObject({
    count: count.describe('Waiting for a lock for longer than `health.blockedSeconds`.'),
    longestSeconds: z.number().min(0).describe('How long the one waits that waits longest, of all.'),
  }),
  cacheHitRatio: z
    .number()
    .min(0)
    .max(1)
    .nullable()
    .describe(
      'Of the blocks read since the statistics began: how many were in memory. `null`: none were read.',
    ),
  databaseSizeBytes: count,
  wraparound: z.strictObject({
    ageTransactions: count.describe('Of the oldest database of the cluster.'),
    usedShare: z
      .number()
      .min(0)
      .max(1)
      .describe('Of the 2 147 483 648 there are; at 1 nothing can be written.'),
  }),
});
export type Load = z.output<typeof loadSchema>;

const lagSchema = z.strictObject({
  bytes: count.nullable().describe('Written by the writer and not yet replayed; 0 where storage is shared.'),
  seconds: z.number().min(0).nullable().describe('How long the writer’s latest write has been missing.'),
  streaming: z.boolean(),
});

export const instanceHealthSchema = z.strictObject({
  instance: z
    .string()
    .nullable()
    .describe('`null`: the writer’s endpoint, which instance it is nobody has said.'),
  host: z.string(),
  port: z.int(),
  expectedRole: z.enum(['writer', 'reader']),
  role: z
    .enum(['writer', 'reader'])
    .nullable()
    .describe('What it is by its own account; `null`: it did not say.'),
  reachable: z.boolean(),
  connectMs: z.number().min(0).nullable().describe('TCP, TLS and login.'),
  queryMs: z.number().min(0).nullable().describe('One statement there and back.'),
  lag: lagSchema.nullable().describe('Of a reader.'),
  load: loadSchema.nullable(),
});
export type InstanceHealth = z.output<typeof instanceHealthSchema>;

export const shardHealthSchema = z.strictObject({
  shard: z.string(),
  state: z
    .enum(healthStates)
    .describe(
      '`down`: its writer does not answer, or is none. `degraded`: it serves, and something needs a look.',
    ),
  reasons: z.array(reasonSchema).max(64),
  at: z.iso.datetime().describe('When it was looked at.'),
  tookMs: z.number().min(0),
  writer: instanceHealthSchema,
  readers: z.array(instanceHealthSchema),
});
export type ShardHealth = z.output<typeof shardHealthSchema>;

/** The answer of `GET /api/database/health`. */
export const healthReportSchema = z.strictObject({
  state: z.enum(healthStates).describe('The worst of all shards.'),
  source: z
    .enum(['live', 'recorded'])
    .describe(
      'Whether shards were looked at for this answer, at most five seconds ago, or by the schedule; see `at`.',
    ),
  shards: z.array(shardHealthSchema),
});
export type HealthReport = z.output<typeof healthReportSchema>;

/** The worst of some states; healthy where there is none. */
export function worst(states: readonly HealthState[]): HealthState {
  return healthStates.findLast((state) => states.includes(state)) ?? 'healthy';
}
