import * as z from 'zod';
import { sampleSchema } from './analysis/model.ts';
import { blockCodes } from './health.ts';

const count = z.int().min(0);
const share = z.number().min(0).describe('A part of all load, 0 to 1.');
const rows = z.record(z.string(), count).describe('Rows by entity.');
const variance = z
  .number()
  .min(0)
  .describe('Coefficient of variation of the shards’ load, each beside its weight; 0 is even.');
const score = z.number().min(0).max(1).describe('1 / (1 + variance).');
const instant = z.iso.datetime();
const rangeSchema = z.strictObject({ first: z.int(), last: z.int() });

const slotSchema = z.strictObject({
  slot: z.int(),
  shard: z.string(),
  share,
  rows,
  sizeBytes: count,
  loadPerSecond: z.number().min(0),
  alsoOn: z.array(z.string()).describe('Other shards that have rows of it.'),
});

const shardSchema = z.strictObject({
  shard: z.string(),
  weight: z.number().describe('What part of the load it should have, beside those of others.'),
  capacityBytes: count.nullable(),
  share: share.nullable().describe('null: it has not been analyzed.'),
  utilization: z.number().min(0).nullable().describe('Its share beside what it should have; 1 is even.'),
  fixedShare: share.describe(
    'What no move of a slot takes away: pinned tenants, rows of other shards’ slots.',
  ),
  rows,
  sizeBytes: count.describe('Tables of entities on disk, with indexes.'),
  databaseSizeBytes: count.nullable(),
  loadPerSecond: z.number().min(0).describe('Tuples of those tables read and written a second.'),
  slots: count,
  misplaced: z.strictObject({ slots: count, rows: count }).describe('Rows whose slot is another shard’s.'),
  analyzedAt: instant.nullable(),
  analyzedOn: z.string().nullable().describe('The instance that rows were counted on.'),
  durationMs: z.number().min(0).nullable(),
  tables: z.array(
    z.strictObject({
      table: z.string(),
      kind: z.string(),
      rows: count,
      sizeBytes: count,
      loadPerSecond: z.number().min(0),
      sample: sampleSchema.nullable().describe('null: every row was counted.'),
    }),
  ),
  missing: z.array(z.strictObject({ table: z.string(), reason: z.string() })).describe('Tables not counted.'),
  error: z.strictObject({ at: instant, message: z.string() }).nullable(),
});

export const runViewSchema = z
  .strictObject({
    id: z.string(),
    state: z.enum(['queued', 'running', 'completed', 'failed']),
    startedAt: instant,
    finishedAt: instant.nullable(),
  })
  .meta({ title: 'A run of the analysis' });

export const analysisViewSchema = z
  .strictObject({
    analyzedAt: instant.describe('The oldest of the shards’ times.'),
    run: runViewSchema.nullable().describe('The run that goes on, or was the last.'),
    mapEpoch: z.int(),
    variance: variance.nullable(),
    balanceScore: score.nullable(),
    threshold: z.number(),
    overThreshold: z.boolean(),
    weights: z.strictObject({ rows: z.record(z.string(), z.number()), bytes: z.number(), load: z.number() }),
    loadMeasure: z.string(),
    shards: z.array(shardSchema),
    hotTenants: z.array(
      z.strictObject({ tenant: z.string(), shard: z.string(), rows, sizeBytes: count, pinned: z.boolean() }),
    ),
    slots: z.array(slotSchema).describe('The heaviest first.'),
    nextToken: z.string().nullable(),
  })
  .meta({ title: 'Load of shards and slots' });
export type AnalysisView = z.output<typeof analysisViewSchema>;

export const balanceHealthSchema = z
  .strictObject({
    shards: z.array(
      z.strictObject({
        shard: z.string(),
        mayLeave: z.boolean().describe('Whether slots may be moved away from it now.'),
        mayCome: z.boolean().describe('Whether slots may be moved to it now.'),
        reasons: z.array(
          z.strictObject({
            code: z.enum(blockCodes),
            leave: z.boolean(),
            come: z.boolean(),
            detail: z.string(),
          }),
        ),
        slotsInMotion: z
          .array(z.int())
          .max(100)
          .describe('Slots of it that have rows on another shard too; at most 100.'),
      }),
    ),
  })
  .meta({ title: 'What must not be moved now' });
export type BalanceHealth = z.output<typeof balanceHealthSchema>;

const sideSchema = z.strictObject({ variance, balanceScore: score });
export const recommendationSchema = z
  .strictObject({
    recommended: z.boolean(),
    outcome: z
      .enum(['even', 'reached', 'improved', 'cut', 'not-worth-it'])
      .describe(
        '`even`: nothing to do. `reached`: under the threshold when all is done. `improved`: as near as was found. `cut`: as many moves as are allowed. `not-worth-it`: too little to gain.',
      ),
    explanation: z.array(z.string()),
    threshold: z.number(),
    before: sideSchema,
    after: sideSchema,
    movedShare: share,
    leastMovedShare: share.describe('No plan that reaches the threshold moves less than this.'),
    moves: z.array(
      z.strictObject({
        order: z.int(),
        slots: z.array(rangeSchema),
        from: z.string(),
        to: z.string(),
        rows,
        sizeBytes: count,
        share,
        estimatedDurationMs: count,
        estimatedCostUsd: z.number().min(0),
        varianceAfter: variance,
        improvement: z.number().describe('What the variance is less by.'),
      }),
    ),
    total: z.strictObject({
      moves: count,
      rows: count,
      sizeBytes: count,
      estimatedDurationMs: count,
      estimatedCostUsd: z.number().min(0),
    }),
    shards: z.array(
      z.strictObject({
        shard: z.string(),
        shareBefore: share,
        shareAfter: share,
        targetShare: share,
        fixedShare: share,
        mayLeave: z.boolean(),
        mayCome: z.boolean(),
      }),
    ),
  })
  .meta({ title: 'Recommended moves' });
export type Recommendation = z.output<typeof recommendationSchema>;
