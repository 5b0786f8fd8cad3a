import * as z from 'zod';
import type { RouteContract } from '../../shared/contract.ts';
import { pageQuery } from '../../shared/paging.ts';
import { analysisViewSchema, balanceHealthSchema, recommendationSchema, runViewSchema } from './views.ts';

const shard = z
  .string()
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'is not the name of a shard')
  .max(31);

/** Values with commas between them. */
const list = z
  .string()
  .max(2_000)
  .transform((text) => text.split(','));
const shards = list.pipe(z.array(shard).max(36));
const slots = list.pipe(z.array(z.coerce.number<string>().int().min(0).max(65_535)).max(400));

/** The routes that say how even shards are, and what to move. */
export const balanceRoutes = {
  analyze: {
    method: 'GET',
    path: '/api/database/rebalancing/analyze',
    scope: 'shards:read',
    summary: 'Users, content, bytes and load per shard and slot',
    description:
      'What the newest analysis of each shard found, with its time. One is made by schedule; `fresh=true` starts another and answers 202, unless the last one ended less than a minute ago. Rows are counted on live data, on a reader where its lag allows; large tables are sampled, and how far that may be off is said of each. PostgreSQL does not count queries by slot: the load of a slot is its part, by rows, of the tuples that were read from and written to its tables.',
    query: z.strictObject({
      ...pageQuery,
      shard: shard.optional().describe('Only slots of this shard.'),
      fresh: z
        .enum(['true', 'false'])
        .default('false')
        .transform((text) => text === 'true')
        .describe('Start an analysis now.'),
    }),
    responses: {
      200: { description: 'The newest analysis; the slots by page.', schema: analysisViewSchema },
      202: {
        description: 'An analysis runs, or was started; ask again without `fresh`.',
        schema: runViewSchema,
        headers: { Location: 'Where its result will be.', 'Retry-After': 'When to look, in seconds.' },
      },
    },
  },
  balanceHealth: {
    method: 'GET',
    path: '/api/database/rebalancing/health',
    scope: 'shards:read',
    summary: 'What must not be moved now, and why',
    description:
      'Shards whose writer does not serve or was just replaced, whose failover is on hold, that a backup or a restore works on, whose readers lag, that are full, or that nobody has looked at lately; and slots that have rows on two shards.',
    responses: { 200: { description: 'The shards by name.', schema: balanceHealthSchema } },
  },
  recommend: {
    method: 'GET',
    path: '/api/database/rebalancing/recommend',
    scope: 'shards:read',
    summary: 'The fewest and smallest moves that make shards even',
    description:
      'A plan that brings the variance under the threshold, with what each move takes and gains; nothing is moved by it. It heeds the weights and the capacity of shards, pinned tenants, what must not be moved now, and slots in motion. None of its moves makes the variance worse, and once they are made it recommends nothing more. The same analysis gives the same plan.',
    query: z.strictObject({
      threshold: z.coerce.number().min(0.01).max(2).optional().describe('Default: the deployment’s.'),
      minImprovement: z.coerce
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe('A plan that makes the variance better by less is none. Default: the deployment’s.'),
      maxMoves: z.coerce.number().int().min(1).max(5_000).optional().describe('Default: the deployment’s.'),
      add: shard
        .optional()
        .describe(
          'A shard, which may not exist yet, that is to get what it should have, less the threshold’s part.',
        ),
      drain: shards.optional().describe('Shards that are to be emptied, with commas between them.'),
      leave: shards.optional().describe('Shards that nothing is moved from or to.'),
      inMotion: slots
        .optional()
        .describe('Slots that you are moving at present: they stay where they are counted.'),
    }),
    responses: {
      200: { description: 'The plan, or why there is none.', schema: recommendationSchema },
      422: { description: 'There is no such shard, or none would be left.' },
    },
  },
} as const satisfies Record<string, RouteContract>;
