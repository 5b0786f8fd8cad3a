import * as z from 'zod';
import type { RouteContract } from '../../shared/contract.ts';
import { granularities, mostDays } from './range.ts';

const count = z.int().min(0);
const tenant = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[^*#]/, 'is not the id of a tenant');

const rangeQuery = {
  from: z.iso
    .datetime({ offset: true })
    .optional()
    .describe(
      'Default: 24 hours before the end, or when counting was last started anew, if that is later. The interval that it lies in counts whole.',
    ),
  to: z.iso.datetime({ offset: true }).optional().describe('Default: now.'),
  tenant: tenant.optional().describe('Only its websites; default: all together.'),
};
const granularity = z
  .enum(granularities)
  .default('hour')
  .describe(
    `Steps of the series: at most ${mostDays.hour} days by the hour, ${mostDays.day} by the day. Hours and days are those of UTC.`,
  );

const rate = z
  .number()
  .min(0)
  .max(100)
  .nullable()
  .describe('Per cent of what was served from the cache or could have been; null where there was nothing.');

const range = {
  from: z.iso.datetime().describe('Where the first interval begins that is counted.'),
  to: z.iso.datetime(),
  tenant: z.string().nullable(),
};

const countsSchema = z.strictObject({
  requests: count,
  hits: count.describe('Answered from the cache, also after asking the origin whether the copy still holds.'),
  misses: count,
  hitRatePercent: rate,
  byteHitRatePercent: rate,
  bytes: count.describe('Sent to viewers.'),
  bandwidthGb: z.number().min(0).describe('The same in GB of 10⁹ bytes.'),
  clientErrors: count.describe('Answers with a status of 400 to 499.'),
  serverErrors: count.describe('Answers with a status of 500 to 599.'),
  statuses: z.strictObject({
    none: count.describe('The viewer had gone before there was one.'),
    '1xx': count,
    '2xx': count,
    '3xx': count,
    '4xx': count,
    '5xx': count,
  }),
  purges: count.describe('Purges that were asked for.'),
  uniqueVisitors: z
    .strictObject({ estimate: count, standardErrorPercent: z.number() })
    .describe('Addresses with browsers, by a sketch (HyperLogLog).'),
  latencyMs: z
    .strictObject({
      p50: z.number().nullable(),
      p95: z.number().nullable(),
      p99: z.number().nullable(),
      relativeErrorPercent: z.number(),
    })
    .describe('From the request to the last byte at the edge, by a sketch. Cloudflare: to the first byte.'),
});

const rankedSchema = z.strictObject({
  key: z.string(),
  requests: count.describe('At least so many, and at most `errorRequests` more.'),
  bytes: count,
  hits: count,
});
const rankingSchema = z.strictObject({
  items: z.array(rankedSchema).describe('Most requests first.'),
  errorRequests: count.describe(
    'How many requests an item may have had beyond those that are said, and one that is not listed in all; 0 where the counts are exact.',
  ),
});

const freshnessSchema = z.strictObject({
  complete: z
    .boolean()
    .describe('False while so many logs have just arrived that they are not counted yet. They will be.'),
  countedSince: z.iso.datetime().nullable().describe('When counting was last started anew.'),
  note: z.string(),
});

const summarySchema = z
  .strictObject({
    ...range,
    totals: countsSchema,
    topPaths: rankingSchema,
    countries: rankingSchema,
    edgeLocations: rankingSchema,
    contentTypes: rankingSchema,
    freshness: freshnessSchema,
  })
  .meta({ title: 'What the edge did' });

const statsSchema = z
  .strictObject({
    ...range,
    granularity: z.enum(granularities),
    totals: countsSchema,
    series: z.array(z.strictObject({ at: z.iso.datetime(), ...countsSchema.shape })),
    freshness: freshnessSchema,
  })
  .meta({ title: 'What the edge did, step by step' });

const pathsSchema = z
  .strictObject({ ...range, paths: rankingSchema, freshness: freshnessSchema })
  .meta({ title: 'Paths by requests' });

const regionsSchema = z
  .strictObject({
    ...range,
    regions: rankingSchema.describe('Continents, by the countries of viewers.'),
    countries: rankingSchema.describe('ISO 3166-1 codes, where the log has them.'),
    edgeLocations: rankingSchema,
    freshness: freshnessSchema,
  })
  .meta({ title: 'Where requests came from and were answered' });

export type Summary = z.input<typeof summarySchema>;
export type Counts = z.input<typeof countsSchema>;
export type Ranking = z.input<typeof rankingSchema>;

const bestEffort =
  'Of the logs that have arrived. CloudFront delivers them by best effort, mostly within minutes, some within 24 hours.';

/** The routes of analytics. */
export const analyticsRoutes = {
  getAnalytics: {
    method: 'GET',
    path: '/api/cdn/analytics',
    scope: 'cdn:read',
    summary: 'What the edge did: a summary',
    description: bestEffort,
    query: z.strictObject(rangeQuery),
    responses: { 200: { description: 'The summary.', schema: summarySchema } },
  },
  getAnalyticsStats: {
    method: 'GET',
    path: '/api/cdn/analytics/stats',
    scope: 'cdn:read',
    summary: 'Hits, misses, hit rate, bandwidth, purges, by the hour or day',
    description: bestEffort,
    query: z.strictObject({ ...rangeQuery, granularity }),
    responses: { 200: { description: 'Totals and a series.', schema: statsSchema } },
  },
  getAnalyticsPaths: {
    method: 'GET',
    path: '/api/cdn/analytics/paths',
    scope: 'cdn:read',
    summary: 'The paths that are asked for most',
    description: bestEffort,
    query: z.strictObject({
      ...rangeQuery,
      limit: z.coerce.number().int().min(1).max(1_000).default(100).describe('How many paths at most.'),
    }),
    responses: { 200: { description: 'Paths, most requests first.', schema: pathsSchema } },
  },
  getAnalyticsRegions: {
    method: 'GET',
    path: '/api/cdn/analytics/regions',
    scope: 'cdn:read',
    summary: 'Regions, countries, edge locations',
    description: bestEffort,
    query: z.strictObject(rangeQuery),
    responses: { 200: { description: 'By requests.', schema: regionsSchema } },
  },
  resetAnalytics: {
    method: 'POST',
    path: '/api/cdn/analytics/reset',
    scope: 'admin',
    summary: 'Start counting anew',
    description:
      'From now on, questions that name no beginning look no further back than this. Nothing is removed: what was counted before is found by its time.',
    responses: {
      200: {
        description: 'Since when requests are counted.',
        schema: z.strictObject({ countedSince: z.iso.datetime() }),
      },
    },
  },
} as const satisfies Record<string, RouteContract>;
