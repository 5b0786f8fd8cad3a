import * as z from 'zod';
import { traceIdParam } from '../trace-id.ts';

const whole = z.coerce.number().int().min(0);
const micros = whole.max(Number.MAX_SAFE_INTEGER).optional().describe('Microseconds since the epoch.');
const text = z.string().max(2_048);
const scope = 'tracing:read';
const protocol = 'jaeger';
const listed = (items: z.ZodType) =>
  z.strictObject({
    data: z.array(items),
    total: z.int(),
    limit: z.int(),
    offset: z.int(),
    errors: z.null(),
  });
const names = { 200: { description: 'Their names.', schema: listed(z.string()) } };
// Jaeger itself describes traces, not this API.
const traces = { 200: { description: 'Traces in Jaeger’s JSON.', schema: listed(z.unknown()) } };
const byPath = z.strictObject({ service: z.string().min(1).max(256) });

/** What clients of Jaeger’s query API ask, Grafana’s data source among them. Parameters that are not known are passed over. */
export const jaegerRoutes = {
  jaegerServices: {
    method: 'GET',
    path: '/jaeger/api/services',
    scope,
    protocol,
    summary: 'Services, for Jaeger’s clients',
    query: z.looseObject({}),
    responses: names,
  },
  jaegerServiceOperations: {
    method: 'GET',
    path: '/jaeger/api/services/{service}/operations',
    scope,
    protocol,
    summary: 'Operations of a service, for Jaeger’s clients',
    params: byPath,
    query: z.looseObject({}),
    responses: names,
  },
  jaegerOperations: {
    method: 'GET',
    path: '/jaeger/api/operations',
    scope,
    protocol,
    summary: 'Operations with their kinds, for Jaeger’s clients',
    query: z.looseObject({ service: text.min(1), spanKind: text.optional() }),
    responses: {
      200: {
        description: 'The operations.',
        schema: listed(z.strictObject({ name: z.string(), spanKind: z.string() })),
      },
    },
  },
  jaegerTraces: {
    method: 'GET',
    path: '/jaeger/api/traces',
    scope,
    protocol,
    summary: 'Search traces, for Jaeger’s clients',
    query: z.looseObject({
      service: text.min(1),
      operation: text.optional(),
      tags: text.optional().describe('A JSON object of texts.'),
      minDuration: text.optional().describe('As in `1.5s`, `100ms`, `250us`.'),
      maxDuration: text.optional(),
      limit: z.coerce.number().int().min(1).max(1_500).default(20),
      start: micros,
      end: micros,
    }),
    responses: traces,
  },
  jaegerTrace: {
    method: 'GET',
    path: '/jaeger/api/traces/{traceId}',
    scope,
    protocol,
    summary: 'One trace, for Jaeger’s clients',
    params: z.strictObject({ traceId: traceIdParam }),
    query: z.looseObject({}),
    responses: traces,
  },
  jaegerDependencies: {
    method: 'GET',
    path: '/jaeger/api/dependencies',
    scope,
    protocol,
    summary: 'Who calls whom, for Jaeger’s clients',
    query: z.looseObject({
      endTs: whole.max(8.64e15).optional().describe('Milliseconds since the epoch; default: now.'),
      lookback: whole.max(8.64e15).default(86_400_000).describe('Milliseconds before that.'),
      service: text.optional(),
    }),
    responses: {
      200: {
        description: 'The calls.',
        schema: listed(z.strictObject({ parent: z.string(), child: z.string(), callCount: z.int() })),
      },
    },
  },
} as const;
