import * as z from 'zod';
import type { RouteContract } from '../../shared/contract.ts';
import { capabilityMetricSchema } from '../cloud/figures.ts';
import { mostReported, reportedSchema } from '../reported/figures.ts';
import { statusClasses } from '../tally/tally.ts';
import { totalDays } from '../tally/tally-store.ts';

const ms = z.number().min(0).nullable();

const durationsSchema = z.strictObject({
  averageMs: ms,
  p50Ms: ms,
  p95Ms: ms,
  p99Ms: ms.describe('Percentiles are of sketches that merge; null where nothing was seen.'),
});

const requestsSchema = durationsSchema.extend({
  total: z.int(),
  clientErrors: z.int().describe('Answers of 4xx.'),
  errors: z.int().describe('Answers of 5xx.'),
  errorRate: z.number().min(0).max(1).describe('Share of the answers of 5xx.'),
});

const routeSchema = requestsSchema.extend({
  route: z.string().meta({ examples: ['GET /api/database/route'] }),
  service: z.string(),
  byStatus: z.partialRecord(z.enum(statusClasses), z.int()),
  slowest: z
    .strictObject({ traceId: z.string(), durationMs: z.number(), at: z.iso.datetime() })
    .nullable()
    .describe('A slow request of the last hour in which there were any, and its trace.'),
});

const functionSchema = durationsSchema.extend({
  function: z.string(),
  service: z.string(),
  invocations: z.int(),
  errors: z.int(),
  coldStarts: z.int(),
  peakMemoryBytes: z.int(),
  memoryLimitBytes: z.int(),
});

const totalsSchema = z.strictObject({
  from: z.iso.datetime().describe('Whole hours of UTC.'),
  to: z.iso.datetime(),
  relativeError: z.number().describe('How far a percentile may be from the exact one, relative to it.'),
  requests: requestsSchema,
  functions: z.strictObject({
    invocations: z.int(),
    errors: z.int(),
    coldStarts: z.int(),
    memoryUsed: z.number().min(0).describe('The largest share of its memory that a function has used.'),
  }),
});

const mostHours = totalDays * 24;
const query = z.strictObject({
  hours: z.coerce
    .number()
    .int()
    .min(1)
    .max(mostHours)
    .default(24)
    .describe('How many hours back, whole hours of UTC; the present one is the first.'),
});

const errorSchema = z
  .strictObject({
    type: z.string().meta({ examples: ['DependencyError'] }),
    where: z.string().describe('The route, or the function.'),
    pattern: z.string().describe('The message without what differs from one occurrence to the next.'),
    count: z.int(),
    firstSeen: z.iso.datetime().describe('Kinds of error are forgotten 30 days after the last of them.'),
    lastSeen: z.iso.datetime(),
    traceId: z.string().nullable().describe('The trace of the latest one.'),
  })
  .meta({ title: 'Kind of error' });

const asOf =
  'Functions tell of each invocation when it ends; that is counted here within about two minutes. CloudWatch has the same metrics by the minute, for fifteen months.';

/** The routes of what was counted. */
export const summaryRoutes = {
  metrics: {
    method: 'GET',
    path: '/api/monitoring/metrics',
    scope: 'admin',
    summary: 'Requests by route, and functions: how many, how many failed, how long they took',
    description: asOf,
    query,
    responses: {
      200: {
        description: 'Everything that was counted, busiest first.',
        schema: totalsSchema.extend({
          routes: z.array(routeSchema),
          byFunction: z.array(functionSchema),
          capabilities: z
            .array(capabilityMetricSchema)
            .describe(
              'What CloudWatch has of backups, failover, databases and slow queries, caches, the edge, tables, queues and workflows. It is read every few minutes while somebody asks: the first answer after a while may be old, or have none.',
            ),
          reported: z
            .array(reportedSchema)
            .describe(
              `What services report of themselves, as it stands now, whatever hours are asked for; at most ${mostReported} series.`,
            ),
        }),
      },
    },
  },
  summary: {
    method: 'GET',
    path: '/api/metrics/summary',
    scope: 'admin',
    summary: 'Requests and functions in one look',
    description: asOf,
    query,
    responses: {
      200: {
        description: 'Totals, and the routes that stand out.',
        schema: totalsSchema.extend({
          slowest: z.array(routeSchema).describe('The five routes with the highest P95.'),
          failing: z.array(routeSchema).describe('The five routes with the most answers of 5xx.'),
        }),
      },
    },
  },
  errors: {
    method: 'GET',
    path: '/api/admin/errors',
    scope: 'admin',
    summary: 'Errors by kind: type, place and normalised message',
    description: asOf,
    query,
    responses: {
      200: {
        description:
          'The most frequent first; at most 200 kinds are kept apart, further ones count as `other`.',
        schema: z.strictObject({
          from: z.iso.datetime(),
          to: z.iso.datetime(),
          errors: z.array(errorSchema),
        }),
      },
    },
  },
} as const satisfies Record<string, RouteContract>;

export type RouteFigures = z.input<typeof routeSchema>;
export type FunctionFigures = z.input<typeof functionSchema>;
export type RequestFigures = z.input<typeof requestsSchema>;
export type Totals = z.input<typeof totalsSchema>;
export type ErrorFigures = z.input<typeof errorSchema>;
