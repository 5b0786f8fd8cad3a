import * as z from 'zod';
import type { RouteHandlers } from '../../../shared/http-handler.ts';
import { Problem } from '../../../shared/problem.ts';
import { spanKinds } from '../../model.ts';
import { maximumStatsMs, totalsOf } from '../../stats/totals.ts';
import { dayMs } from '../../store/keys.ts';
import { type Filter, ofKind, ofService, where, withTag } from '../filter/filter.ts';
import { type FoundTrace, findPage } from '../search/find-traces.ts';
import { askedBy, inTime, rangeOf, requiredTrace, searchSources, type TracingSources } from '../sources.ts';
import { durationMs } from '../traceql/tokens.ts';
import { jaegerAnswer } from './answers.ts';
import { type JaegerTrace, jaegerTrace } from './jaeger-json.ts';
import type { jaegerRoutes } from './routes.ts';

/** Characters of traces in one answer; Lambda hands on 6 MB. */
const answerCharacters = 4_500_000;
/** Jaeger’s own user interface looks back two days where it is not told. */
const lookbackMs = 2 * dayMs;
const namesMs = 7 * dayMs;
const tagsSchema = z.record(z.string().max(256), z.string().max(1_024));

/** The routes that clients of Jaeger’s query API use. */
export function jaegerHandlers(sources: TracingSources): RouteHandlers<typeof jaegerRoutes> {
  const { blocks, stats, now } = sources;
  const recent = () => ({ fromMs: now() - namesMs, toMs: now() });
  const operationsOf = (service: string) => blocks.operations(service, recent());
  return {
    jaegerServices: async () => ({ status: 200, body: jaegerAnswer(await blocks.services(recent())) }),

    jaegerServiceOperations: async ({ params: { service } }) => {
      const operations = (await operationsOf(service)).map(({ operation }) => operation);
      return { status: 200, body: jaegerAnswer([...new Set(operations)]) };
    },

    jaegerOperations: async ({ query: { service, spanKind } }) => {
      const named = (await operationsOf(service)).map(({ operation, kind }) => ({
        ...{ name: operation, spanKind: spanKinds[kind] ?? 'unspecified' },
      }));
      const asked = spanKind === undefined || spanKind === '' ? undefined : spanKind;
      return {
        status: 200,
        body: jaegerAnswer(named.filter((one) => asked === undefined || one.spanKind === asked)),
      };
    },

    jaegerTraces: async ({ query, remainingMs }) => {
      const { start, end, limit } = query;
      const toMs = end === undefined ? now() : end / 1_000;
      const fromMs = start === undefined ? toMs - lookbackMs : start / 1_000;
      const range = rangeOf({ fromMs, toMs }, { now: now(), field: 'start' });
      const filter = filterOf(query);
      let left = answerCharacters;
      const shape = ({ trace }: FoundTrace): JaegerTrace | undefined => {
        const shown = jaegerTrace(trace);
        left -= JSON.stringify(shown).length;
        return left < 0 ? undefined : shown;
      };
      const search = { filter, range, order: 'newest' } as const;
      const { items } = await askedBy('service', () =>
        findPage(search, searchSources(sources, { remainingMs }), limit, shape),
      );
      return { status: 200, body: jaegerAnswer(items) };
    },

    jaegerTrace: async ({ params: { traceId } }) => {
      const trace = await requiredTrace(sources, traceId);
      return { status: 200, body: jaegerAnswer([withinBound(jaegerTrace(trace))]) };
    },

    jaegerDependencies: async ({ query: { endTs, lookback, service }, remainingMs }) => {
      const toMs = endTs ?? now();
      // Jaeger’s user interface may ask for longer than anything is kept.
      const fromMs = Math.max(toMs - lookback, toMs - maximumStatsMs);
      const range = rangeOf({ fromMs, toMs }, { now: now(), field: 'lookback', longest: maximumStatsMs });
      const asked = service === '' ? undefined : service;
      const { calls } = await totalsOf({ range, service: asked }, stats, inTime({ remainingMs }));
      const links = calls.entries().map(([[parent = '', child = ''], { count }]) => ({
        ...{ parent, child, callCount: count },
      }));
      return { status: 200, body: jaegerAnswer(links) };
    },
  };
}

type TracesQuery = z.output<(typeof jaegerRoutes)['jaegerTraces']['query']>;

function filterOf({
  service,
  operation = '',
  tags = '',
  minDuration = '',
  maxDuration = '',
}: TracesQuery): Filter {
  const all: Filter[] = [ofService(service)];
  // Jaeger’s user interface says `all` for every operation.
  if (operation !== '' && operation !== 'all') all.push(where({ of: 'operation' }, '=', operation));
  if (minDuration !== '') all.push(where({ of: 'durationMs' }, '>=', duration('minDuration', minDuration)));
  if (maxDuration !== '') all.push(where({ of: 'durationMs' }, '<=', duration('maxDuration', maxDuration)));
  for (const [key, value] of Object.entries(tagsOf(tags))) all.push(tagFilter(key, value));
  return { all };
}

/** Tags by which Jaeger knows what OpenTelemetry has members for. */
function tagFilter(key: string, value: string): Filter {
  const kind = spanKinds.find((known) => known === value);
  if (key === 'span.kind' && kind !== undefined) return ofKind(kind);
  if (key === 'error' && (value === 'true' || value === 'false'))
    return where({ of: 'error' }, '=', value === 'true');
  if (key === 'otel.status_code' && value.toUpperCase() === 'ERROR') return where({ of: 'error' }, '=', true);
  return withTag(key, value);
}

function tagsOf(text: string): z.output<typeof tagsSchema> {
  if (text === '') return {};
  try {
    return tagsSchema.parse(JSON.parse(text));
  } catch (error) {
    throw invalid('tags', 'is not a JSON object of texts', error);
  }
}

function duration(field: string, written: string): number {
  const ms = durationMs(written);
  if (ms === undefined) throw invalid(field, 'is not a duration such as 1.5s, 100ms, 250us');
  return ms;
}

const invalid = (field: string, message: string, cause?: unknown) =>
  new Problem('invalid-request', `unable to parse param '${field}': ${message}`, {
    errors: [{ field, message }],
    ...(cause === undefined ? {} : { cause }),
  });

/** As many spans of a trace as one answer holds, saying so. */
function withinBound(trace: JaegerTrace): JaegerTrace {
  let size = JSON.stringify(trace.processes).length;
  const end = trace.spans.findIndex((span) => {
    size += JSON.stringify(span).length + 1;
    return size > answerCharacters;
  });
  if (end < 0) return trace;
  const warning = `Only the first ${end} of ${trace.spans.length} spans fit an answer; the export of the trace has all.`;
  return { ...trace, spans: trace.spans.slice(0, end), warnings: [...(trace.warnings ?? []), warning] };
}
