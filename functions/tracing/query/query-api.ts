import * as z from 'zod';
import type { RouteHandlers } from '../../shared/http-handler.ts';
import { decodeToken, encodeToken } from '../../shared/paging.ts';
import { continueTrace } from '../../shared/traceparent.ts';
import { spanKinds, type TraceSpan } from '../model.ts';
import { maximumStatsMs, totalsOf } from '../stats/totals.ts';
import { messageOf } from './encode/message.ts';
import { type Filter, ofService, where, withTag } from './filter/filter.ts';
import { parseLogfmt } from './filter/logfmt.ts';
import { queryRoutes } from './routes.ts';
import { type FoundTrace, findPage } from './search/find-traces.ts';
import { searchPosition } from './search/search.ts';
import { summaryOf } from './search/summary.ts';
import { askedBy, inTime, rangeOf, requiredTrace, searchSources, type TracingSources } from './sources.ts';
import { statsAnswer } from './stats-answer.ts';
import { rfc3339OfMs, rfc3339OfNano } from './view/times.ts';
import { traceView } from './view/trace-view.ts';

/** Characters of spans in one answer; Lambda hands on 6 MB. */
const pageCharacters = 3_500_000;
const shownSpans = 5;
const offset = z.int().min(0).max(1_000_000);

/** The routes that show traces in this API’s own form. */
export function queryHandlers(sources: TracingSources): RouteHandlers<typeof queryRoutes> {
  return {
    searchTraces: async ({ query, remainingMs }) => {
      const { order, limit, nextToken } = query;
      const range = rangeOf(timesOf(query), { now: sources.now(), field: 'query.from' });
      const after = decodeToken(`traces-${order}`, searchPosition, nextToken);
      const filter = await askedBy('query.tags', () => filterOf(query));
      const { items, next, readBackToMs } = await askedBy('query.service', () =>
        findPage({ filter, range, order, after }, searchSources(sources, { remainingMs }), limit, shownTrace),
      );
      return {
        status: 200,
        body: {
          traces: [...items],
          nextToken: next === undefined ? null : encodeToken(`traces-${order}`, next),
          complete: readBackToMs === undefined,
          searchedBackTo: readBackToMs === undefined ? null : new Date(readBackToMs).toISOString(),
        },
      };
    },

    traceStats: async ({ query, remainingMs }) => {
      const { service, operation, limit } = query;
      const range = rangeOf(timesOf(query), {
        ...{ now: sources.now(), field: 'query.from', longest: maximumStatsMs },
      });
      const totals = await totalsOf({ range, service }, sources.stats, inTime({ remainingMs }));
      return { status: 200, body: statsAnswer(totals, { operation, limit }) };
    },

    generateTraceId: () => {
      const { traceId, spanId, traceparent } = continueTrace(undefined);
      return { status: 200, body: { traceId, spanId, traceparent } };
    },

    getTrace: async ({ params: { traceId }, query: { limit, nextToken } }) => {
      const from = decodeToken('trace', offset, nextToken) ?? 0;
      const trace = await requiredTrace(sources, traceId);
      const { view, next } = traceView(trace, { from, limit, characters: pageCharacters });
      const token = next === undefined ? null : encodeToken('trace', next);
      return { status: 200, body: { ...view, nextToken: token } };
    },

    exportTrace: async ({ params: { traceId }, query: { nextToken } }) => {
      const from = decodeToken('trace-export', offset, nextToken) ?? 0;
      const { spans } = await requiredTrace(sources, traceId);
      const page = thatFit(spans.slice(from));
      const body = JSON.stringify({ resourceSpans: messageOf(page) });
      const next = from + page.length;
      if (next >= spans.length) return { status: 200, body };
      const path = queryRoutes.exportTrace.path.replace('{traceId}', traceId);
      const link = `<${path}?nextToken=${encodeToken('trace-export', next)}>; rel="next"`;
      return { status: 200, headers: { link }, body };
    },
  };
}

const timesOf = ({ from, to }: { from?: string | undefined; to?: string | undefined }) => ({
  fromMs: from === undefined ? undefined : Date.parse(from),
  toMs: to === undefined ? undefined : Date.parse(to),
});

type SearchQuery = z.output<typeof queryRoutes.searchTraces.query>;

function filterOf({ service, operation, tags, minDurationMs, maxDurationMs, error }: SearchQuery): Filter {
  const all: Filter[] = [];
  if (service !== undefined) all.push(ofService(service));
  if (operation !== undefined) all.push(where({ of: 'operation' }, '=', operation));
  if (minDurationMs !== undefined) all.push(where({ of: 'durationMs' }, '>=', minDurationMs));
  if (maxDurationMs !== undefined) all.push(where({ of: 'durationMs' }, '<=', maxDurationMs));
  if (error !== undefined) all.push(where({ of: 'error' }, '=', error === 'true'));
  for (const [key, value] of parseLogfmt(tags ?? '')) all.push(withTag(key, value));
  return { all };
}

function shownTrace({ trace, matched }: FoundTrace) {
  const { startNano, root, services, durationMs, traceId, spanCount, errorCount } = summaryOf(trace);
  return {
    traceId,
    startTime: rfc3339OfNano(startNano),
    durationMs,
    service: root?.service ?? null,
    operation: root?.operation ?? null,
    spanCount,
    errorCount,
    services: [...services],
    matched: {
      count: matched.length,
      spans: matched.slice(0, shownSpans).map((span) => ({
        ...{ spanId: span.spanId, service: span.service, operation: span.operation },
        kind: spanKinds[span.kind] ?? 'unspecified',
        startTime: rfc3339OfMs(span.startMs),
        ...{ durationMs: span.durationMs, error: span.error },
      })),
    },
  };
}

/** As many spans as fit an answer; one at least. */
function thatFit(spans: readonly TraceSpan[]): readonly TraceSpan[] {
  let size = 0;
  const end = spans.findIndex((item, index) => {
    size += JSON.stringify(item).length;
    return index > 0 && size > pageCharacters;
  });
  return end < 0 ? spans : spans.slice(0, end);
}
