import * as z from 'zod';
import { traceIdParam } from '../trace-id.ts';

const scope = 'tracing:read';
const protocol = 'tempo';
const text = z.string().max(4_096);
const seconds = z.coerce.number().min(0).max(8.64e12).optional().describe('Seconds since the epoch.');
const limit = z.coerce.number().int().min(0).max(100_000).optional();
const params = z.strictObject({ traceId: traceIdParam });
const metrics = z.strictObject({ inspectedTraces: z.int().optional() });
const ofTag = z.strictObject({ tag: z.string().min(1).max(1_024) });
const named = z.looseObject({
  q: text.optional(),
  scope: text.optional(),
  start: seconds,
  end: seconds,
  limit,
});
const trace = (description: string) => ({ 200: { description, contentType: 'application/json' } });

/** What Grafana’s data source for Tempo asks. Parameters that are not known are passed over. */
export const tempoRoutes = {
  tempoEcho: {
    method: 'GET',
    path: '/tempo/api/echo',
    scope,
    protocol,
    summary: 'Answers Grafana’s test of the data source',
    responses: { 200: { description: 'The word `echo`.', contentType: 'text/plain; charset=utf-8' } },
  },
  tempoBuildInfo: {
    method: 'GET',
    path: '/tempo/api/status/buildinfo',
    scope,
    protocol,
    summary: 'The version of Tempo’s API that is spoken',
    responses: {
      200: {
        description: 'The version.',
        schema: z.strictObject({ version: z.string(), goVersion: z.string() }),
      },
    },
  },
  tempoTrace: {
    method: 'GET',
    path: '/tempo/api/traces/{traceId}',
    scope,
    protocol,
    summary: 'One trace, for Grafana’s Tempo data source',
    description: 'Protobuf where `Accept` asks for `application/protobuf`, else JSON.',
    params,
    query: z.looseObject({}),
    responses: trace('A `Trace`.'),
  },
  tempoTraceV2: {
    method: 'GET',
    path: '/tempo/api/v2/traces/{traceId}',
    scope,
    protocol,
    summary: 'One trace, for Grafana’s Tempo data source',
    description:
      'Protobuf where `Accept` asks for `application/protobuf`, else JSON. Of too large a trace a part, saying so.',
    params,
    query: z.looseObject({}),
    responses: trace('A `TraceByIDResponse`.'),
  },
  tempoSearch: {
    method: 'GET',
    path: '/tempo/api/search',
    scope,
    protocol,
    summary: 'Search traces, for Grafana’s Tempo data source',
    description: 'By a subset of TraceQL, or by tags. Without a range of time, the last hour.',
    query: z.looseObject({
      q: text.optional(),
      tags: text.optional().describe('As logfmt; instead of `q`.'),
      minDuration: text.optional(),
      maxDuration: text.optional(),
      limit,
      spss: z.coerce.number().int().min(0).max(100).default(3).describe('Spans of each trace.'),
      start: seconds,
      end: seconds,
    }),
    responses: {
      200: {
        description: 'The traces.',
        schema: z.strictObject({ traces: z.array(z.unknown()), metrics }),
      },
    },
  },
  tempoTags: {
    method: 'GET',
    path: '/tempo/api/search/tags',
    scope,
    protocol,
    summary: 'Names of attributes, for Grafana’s Tempo data source',
    query: named,
    responses: {
      200: { description: 'The names.', schema: z.strictObject({ tagNames: z.array(z.string()), metrics }) },
    },
  },
  tempoTagsV2: {
    method: 'GET',
    path: '/tempo/api/v2/search/tags',
    scope,
    protocol,
    summary: 'Names of attributes by scope, for Grafana’s Tempo data source',
    query: named,
    responses: {
      200: {
        description: 'The names.',
        schema: z.strictObject({
          scopes: z.array(z.strictObject({ name: z.string(), tags: z.array(z.string()) })),
          metrics,
        }),
      },
    },
  },
  tempoTagValues: {
    method: 'GET',
    path: '/tempo/api/search/tag/{tag}/values',
    scope,
    protocol,
    summary: 'Values of an attribute, for Grafana’s Tempo data source',
    params: ofTag,
    query: named,
    responses: {
      200: {
        description: 'The values.',
        schema: z.strictObject({ tagValues: z.array(z.string()), metrics }),
      },
    },
  },
  tempoTagValuesV2: {
    method: 'GET',
    path: '/tempo/api/v2/search/tag/{tag}/values',
    scope,
    protocol,
    summary: 'Values of an attribute with their types, for Grafana’s Tempo data source',
    params: ofTag,
    query: named,
    responses: {
      200: {
        description: 'The values.',
        schema: z.strictObject({
          tagValues: z.array(z.strictObject({ type: z.string(), value: z.string() })),
          metrics,
        }),
      },
    },
  },
} as const;
