import * as z from 'zod';
import { pageQuery } from '../../shared/paging.ts';
import { sketchRelativeError } from '../../shared/sketches/quantile.ts';
import { spanKinds } from '../model.ts';
import { slotMs } from '../stats/aggregate.ts';
import { searchBounds } from './search/budget.ts';
import { searchOrders } from './search/search.ts';
import { traceIdParam } from './trace-id.ts';
import { traceViewSchema } from './view/schema.ts';

const count = z.int().min(0);
const name = z.string().min(1).max(256);
const ms = z.coerce.number().min(0).max(1e9);
const range = {
  from: z.iso.datetime({ offset: true }).optional().describe('Default: an hour before `to`.'),
  to: z.iso.datetime({ offset: true }).optional().describe('Default: now.'),
};

const summarySchema = z.strictObject({
  traceId: z.string(),
  startTime: z.string(),
  durationMs: z.number(),
  service: z.string().nullable().describe('Of the root; null where no root is stored.'),
  operation: z.string().nullable(),
  spanCount: count,
  errorCount: count,
  services: z.array(z.strictObject({ service: z.string(), spans: count, errors: count })),
  matched: z.strictObject({
    count: count.describe('Spans that fulfil the query.'),
    spans: z
      .array(
        z.strictObject({
          spanId: z.string(),
          service: z.string(),
          operation: z.string(),
          kind: z.enum(spanKinds),
          startTime: z.string(),
          durationMs: z.number(),
          error: z.boolean(),
        }),
      )
      .describe('The first few of them, the latest start first.'),
  }),
});

const tally = {
  count,
  errors: count,
  errorRate: z.number().min(0).max(1),
  p50Ms: z.number(),
  p95Ms: z.number(),
  p99Ms: z.number(),
};
const statsSchema = z.strictObject({
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  complete: z.boolean().describe('Whether all that was counted in this time has been read.'),
  relativeError: z.literal(sketchRelativeError).describe('How far a percentile may be from the exact one.'),
  services: z
    .array(z.strictObject({ service: z.string(), ...tally }))
    .describe('Requests that came in or began at a service: its server, consumer and root spans.'),
  operations: z.array(
    z.strictObject({ service: z.string(), operation: z.string(), kind: z.enum(spanKinds), ...tally }),
  ),
  operationCount: count.describe('How many operations there are; the most called are listed.'),
  dependencies: z
    .array(z.strictObject({ parent: z.string(), child: z.string(), ...tally }))
    .describe('Calls between services, as the one called tells; of databases, as the caller does.'),
  unresolvedCalls: count.describe('Calls whose caller has told nothing.'),
});

const params = z.strictObject({ traceId: traceIdParam });
const scope = 'tracing:read';

/** Traces are found, looked at and counted. */
export const queryRoutes = {
  searchTraces: {
    method: 'GET',
    path: '/api/monitoring/tracing/search',
    scope,
    summary: 'Search traces',
    description: `Traces of which one span fulfils all that is asked. A search reads at most ${searchBounds.blocks} blocks of up to 2 000 spans; where it stops before, \`complete\` is false and \`nextToken\` goes on.`,
    query: z.strictObject({
      service: name.optional(),
      operation: name.optional(),
      tags: z
        .string()
        .max(2_048)
        .optional()
        .describe('Attributes of the span or its resource, as logfmt.')
        .meta({ examples: ['http.method=GET customer="c 1"'] }),
      minDurationMs: ms.optional(),
      maxDurationMs: ms.optional(),
      error: z.enum(['true', 'false']).optional().describe('Spans that failed, or spans that did not.'),
      ...range,
      order: z
        .enum(searchOrders)
        .default('newest')
        .describe(
          'By the start of the span, or by how long it took; all but `newest` read the whole range first.',
        ),
      ...pageQuery,
    }),
    responses: {
      200: {
        description: 'The traces.',
        schema: z.strictObject({
          traces: z.array(summarySchema),
          nextToken: z.string().nullable(),
          complete: z
            .boolean()
            .describe('False where the search stopped at a bound and not at the end of a page.'),
          searchedBackTo: z.iso.datetime().nullable().describe('Where it stopped, when it is not complete.'),
        }),
      },
    },
  },
  traceStats: {
    method: 'GET',
    path: '/api/monitoring/tracing/stats',
    scope,
    summary: 'Count what services do',
    description: `Calls, errors and latencies of services and operations, and who calls whom. The range is rounded outwards to ${slotMs / 60_000} minutes.`,
    query: z.strictObject({
      service: name.optional(),
      operation: name.optional(),
      ...range,
      limit: z.coerce.number().int().min(1).max(1_000).default(100).describe('How many operations to list.'),
    }),
    responses: { 200: { description: 'The statistics.', schema: statsSchema } },
  },
  generateTraceId: {
    method: 'GET',
    path: '/api/monitoring/tracing/generate-id',
    scope,
    summary: 'Make ids for a trace',
    responses: {
      200: {
        description: 'Random ids as W3C Trace Context has them.',
        schema: z.strictObject({
          traceId: z.string().meta({ examples: ['0af7651916cd43dd8448eb211c80319c'] }),
          spanId: z.string().meta({ examples: ['b7ad6b7169203331'] }),
          traceparent: z.string().describe('Sampled: what is sent on with requests.'),
        }),
      },
    },
  },
  getTrace: {
    method: 'GET',
    path: '/api/monitoring/tracing/{traceId}',
    scope,
    summary: 'One trace',
    description:
      'The tree of its spans, its critical path, and what is missing of it. Pages hold further spans.',
    params,
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(5_000).default(1_000).describe('Spans of one page at most.'),
      nextToken: pageQuery.nextToken,
    }),
    responses: { 200: { description: 'The trace.', schema: traceViewSchema } },
  },
  exportTrace: {
    method: 'GET',
    path: '/api/monitoring/tracing/{traceId}/export',
    scope,
    summary: 'A trace as OTLP',
    description:
      'An `ExportTraceServiceRequest` in OTLP’s JSON, which every receiver of OTLP takes. The header Link names the next page of a large trace.',
    params,
    query: z.strictObject({ nextToken: pageQuery.nextToken }),
    responses: {
      200: {
        description: 'The spans.',
        contentType: 'application/json',
        headers: { link: 'The next page, where there is one.' },
      },
    },
  },
} as const;
