import * as z from 'zod';
import type { RouteContract } from '../../shared/contract.ts';
import { pageQuery } from '../../shared/paging.ts';
import { algorithmSchema } from '../policy.ts';

const policySchema = z
  .strictObject({
    name: z.string().meta({ description: 'As in the header `RateLimit-Policy`.', examples: ['free'] }),
    requests: z.int(),
    windowSeconds: z.int(),
    algorithm: algorithmSchema,
    per: z.enum(['key', 'user', 'tenant', 'address']),
    route: z
      .string()
      .nullable()
      .meta({ description: 'Null: all routes.', examples: ['POST /api/cdn/purge'] }),
  })
  .meta({ title: 'Rate limit' });
export type ShownPolicy = z.output<typeof policySchema>;

const limitedSchema = z
  .strictObject({
    policy: z.string(),
    subject: z.string().meta({
      description:
        'Whose requests were refused: the id of a key, of a key and the hash of its user (`id/hash`), a tenant, or an address. `*`: several that were counted together.',
    }),
    route: z.string().meta({ description: '`*`: several that were counted together, or none.' }),
    count: z.int().meta({ description: 'How many requests were refused, without those not yet reported.' }),
    lastAt: z.iso.datetime(),
  })
  .meta({ title: 'Refused requests' });
export type Limited = z.output<typeof limitedSchema>;

/** The routes of rate limits. */
export const limitRoutes = {
  getLimits: {
    method: 'GET',
    path: '/api/access/limits',
    scope: 'admin',
    summary: 'Who was limited where, the most limited first, and the limits in force',
    description:
      'Functions report what they refused at most every 10 seconds, so the latest requests may be missing.',
    query: z.strictObject({
      ...pageQuery,
      hours: z.coerce
        .number()
        .int()
        .min(1)
        .max(168)
        .default(24)
        .describe('How many hours back, whole hours of UTC; the present one is the first.'),
    }),
    responses: {
      200: {
        description: 'One page.',
        schema: z
          .strictObject({
            limited: z.array(limitedSchema),
            policies: z.array(policySchema),
            complete: z.boolean().meta({
              description: 'False where an hour has more than 500 counts, which were not all read.',
            }),
            nextToken: z.string().nullable(),
          })
          .meta({ title: 'Rate limits and refused requests' }),
      },
    },
  },
} as const satisfies Record<string, RouteContract>;
