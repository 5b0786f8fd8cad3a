import type * as z from 'zod';
import type { AnyValue, TraceSpan } from '../../model.ts';
import type { TimeRange } from '../../store/span-blocks.ts';
import { type Field, type Filter, ofService, type TagScope, where, withTag } from '../filter/filter.ts';
import { parseLogfmt } from '../filter/logfmt.ts';
import { type FoundTrace, findPage } from '../search/find-traces.ts';
import type { SearchSources } from '../search/search.ts';
import { summaryOf } from '../search/summary.ts';
import { askedBy } from '../sources.ts';
import { parseTraceQl } from '../traceql/parse.ts';
import { durationMs } from '../traceql/tokens.ts';
import type { tempoRoutes } from './routes.ts';

/** Tempo’s own default, and the most that one answer has. */
const defaultLimit = 20;
const maximumLimit = 200;

type TempoQuery = z.output<(typeof tempoRoutes)['tempoSearch']['query']>;

/**
 * Searches as Tempo’s `/api/search` does, by a query or by tags, the latest first.
 *
 * @throws Problem naming the parameter that is not understood.
 */
export async function searchTempo(query: TempoQuery, range: TimeRange, sources: SearchSources) {
  const { q, spss } = query;
  const filter =
    q === undefined || q === ''
      ? await askedBy('tags', () => filterOfTags(query))
      : await askedBy('q', () => parseTraceQl(q));
  const limit = Math.min(query.limit || defaultLimit, maximumLimit);
  const tags = tagsIn(filter);
  const search = { filter, range, order: 'newest' } as const;
  const { items } = await askedBy('q', () =>
    findPage(search, sources, limit, (found) => shownTrace(found, { tags, spss })),
  );
  return { traces: [...items], metrics: { inspectedTraces: items.length } };
}

function filterOfTags({ tags = '', minDuration = '', maxDuration = '' }: TempoQuery): Filter {
  const all = parseLogfmt(tags).map(([key, value]): Filter => {
    if (key === 'service.name') return ofService(value);
    if (key === 'name') return where({ of: 'operation' }, '=', value);
    if ((key === 'status' || key === 'error') && (value === 'error' || value === 'true')) {
      return where({ of: 'error' }, '=', true);
    }
    return withTag(key, value);
  });
  if (minDuration !== '') all.push(where({ of: 'durationMs' }, '>=', duration(minDuration)));
  if (maxDuration !== '') all.push(where({ of: 'durationMs' }, '<=', duration(maxDuration)));
  return { all };
}

function duration(written: string): number {
  const ms = durationMs(written);
  if (ms === undefined)
    throw new RangeError(`${JSON.stringify(written.slice(0, 20))} is not a duration such as 100ms`);
  return ms;
}

function shownTrace(
  { trace, matched }: FoundTrace,
  { tags, spss }: { tags: readonly TagField[]; spss: number },
) {
  const { traceId: traceID, root, startNano, durationMs: ms, services } = summaryOf(trace);
  const byId = new Map(trace.spans.map((item) => [item.span.spanId, item]));
  const spans = matched.slice(0, spss === 0 ? matched.length : spss).flatMap(({ spanId }) => {
    const item = byId.get(spanId);
    return item === undefined ? [] : [shownSpan(item, tags)];
  });
  const set = { spans, matched: matched.length };
  return {
    traceID,
    rootServiceName: root?.service ?? '<root span not yet received>',
    rootTraceName: root?.operation ?? '',
    startTimeUnixNano: String(startNano),
    durationMs: Math.round(ms),
    spanSet: set,
    spanSets: [set],
    serviceStats: Object.fromEntries(
      services.map(({ service, spans: spanCount, errors: errorCount }) => [
        service,
        { spanCount, errorCount },
      ]),
    ),
  };
}

function shownSpan(item: TraceSpan, tags: readonly TagField[]) {
  const { spanId: spanID, name, startTimeUnixNano, endTimeUnixNano } = item.span;
  const duration = BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano);
  const service = { key: 'service.name', value: { stringValue: item.service } };
  return {
    ...{ spanID, name, startTimeUnixNano, durationNanos: String(duration < 0n ? 0n : duration) },
    attributes: [service, ...tags.flatMap((tag) => attributeOf(item, tag))],
  };
}

interface TagField {
  readonly of: 'tag';
  readonly scope: TagScope;
  readonly key: string;
}

/** The attributes that a filter is about: Grafana shows them as columns. */
function tagsIn(filter: Filter): TagField[] {
  const found = new Map<string, TagField>();
  const visit = (part: Filter): void => {
    if ('all' in part) for (const each of part.all) visit(each);
    else if ('any' in part) for (const each of part.any) visit(each);
    else if (isTag(part.field)) found.set(part.field.key, part.field);
  };
  visit(filter);
  return [...found.values()];
}

const isTag = (field: Field): field is TagField => field.of === 'tag';

function attributeOf(
  { span, resource }: TraceSpan,
  { scope, key }: TagField,
): { key: string; value: AnyValue }[] {
  const own = scope === 'resource' ? [] : span.attributes;
  const all = scope === 'span' ? own : [...own, ...resource.attributes];
  const found = all.find((attribute) => attribute.key === key);
  return found === undefined ? [] : [{ key, value: found.value }];
}
