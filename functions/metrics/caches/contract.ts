import * as z from 'zod';
import type { RouteContract } from '../../shared/contract.ts';

const rate = z
  .number()
  .min(0)
  .max(1)
  .nullable()
  .describe('Share of the lookups that the cache answered; null where there were none.');
const count = z.number().min(0);

/** The routes of caches. */
export const cacheRoutes = {
  caches: {
    method: 'GET',
    path: '/api/admin/cache',
    scope: 'admin',
    summary: 'Caches: of the edge, of the databases, and of the function that answers',
    description:
      'Figures of the edge and of databases are read of CloudWatch every few minutes while somebody asks for metrics: the first answer after a while may have none.',
    responses: {
      200: {
        description: 'Caches.',
        schema: z.strictObject({
          checkedAt: z.iso.datetime().nullable().describe('Up to when CloudWatch was read.'),
          edge: z
            .strictObject({ hits: count, misses: count, hitRate: rate })
            .describe('Of the edge since its logs were first counted here.'),
          databases: z
            .array(z.strictObject({ shard: z.string(), hitRate: rate }))
            .describe(
              'Blocks that the buffer cache of a shard’s instances had, on average over five minutes.',
            ),
          process: z
            .array(
              z.strictObject({
                name: z.string().meta({ examples: ['keys'] }),
                keptMs: z.int().min(0).describe('How long an entry serves.'),
                hits: z.int(),
                misses: z.int(),
                hitRate: rate,
              }),
            )
            .describe('Of the execution environment that answers, one of many, since its start.'),
        }),
      },
    },
  },
} as const satisfies Record<string, RouteContract>;
