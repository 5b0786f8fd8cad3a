import type { SpanEntry } from '../../store/span-block.ts';
import type { StoredTrace } from '../../store/trace-reader.ts';
import { Matcher } from '../filter/matcher.ts';
import { newestSpans } from './newest.ts';
import { rankedTraces } from './ranked.ts';
import {
  type Candidate,
  matchedSpans,
  newestFirst,
  type SearchEnd,
  type SearchPosition,
  type SearchSources,
  type SpanSearch,
} from './search.ts';

/** A trace that was found, with the spans that were looked for, the latest start first. */
export interface FoundTrace {
  readonly trace: StoredTrace;
  readonly matched: readonly SpanEntry[];
  readonly position: SearchPosition;
}

/** Some of the traces that a search finds. */
export interface FoundPage<T> {
  readonly items: readonly T[];
  /** Where to go on; absent when there is no more. */
  readonly next?: SearchPosition;
  /** Whether the whole range was searched up to `next`. A search that reached a bound has `readBackTo` instead. */
  readonly readBackToMs?: number;
}

/** Traces that are read at the same time. */
const parallelTraces = 4;

/**
 * Searches traces until there are `limit`, or `shape` takes no more.
 *
 * @param shape makes of a trace what is answered; `undefined` when the page has no room for it.
 * @throws RangeError saying what of the filter cannot be.
 */
export async function findPage<T>(
  search: SpanSearch,
  sources: SearchSources,
  limit: number,
  shape: (found: FoundTrace) => T | undefined,
): Promise<FoundPage<T>> {
  const items: T[] = [];
  let last = search.after;
  const traces = findTraces(search, sources);
  for (;;) {
    const { value, done } = await traces.next();
    if (done === true) {
      if (value.complete) return { items };
      // In an order that is not that of time, what was not read would come anywhere.
      if (search.order !== 'newest') return { items, readBackToMs: value.at.at };
      return { items, next: value.at, readBackToMs: value.at.at };
    }
    const item = items.length < limit ? shape(value) : undefined;
    if (item === undefined) {
      await traces.return({ complete: true });
      return last === undefined ? { items } : { items, next: last };
    }
    items.push(item);
    last = value.position;
  }
}

async function* findTraces(
  search: SpanSearch,
  sources: SearchSources,
): AsyncGenerator<FoundTrace, SearchEnd> {
  const { order } = search;
  const candidates =
    order === 'newest' ? newestSpans(search, sources) : rankedTraces({ ...search, order }, sources);
  const matcher = new Matcher(search.filter);
  const seen = new Set<string>();
  for (;;) {
    const { some, end } = await take(candidates, seen);
    const found = await Promise.all(some.map((candidate) => read(candidate, search, matcher, sources)));
    for (const each of found) if (each !== undefined) yield each;
    if (end !== undefined) return end;
  }
}

async function take(candidates: AsyncGenerator<Candidate, SearchEnd>, seen: Set<string>) {
  const some: Candidate[] = [];
  while (some.length < parallelTraces) {
    const { value, done } = await candidates.next();
    if (done === true) return { some, end: value };
    if (!seen.has(value.traceId)) some.push(value);
    seen.add(value.traceId);
  }
  return { some };
}

/** The trace of a candidate; undefined when an earlier page has had it, or it has ended in between. */
async function read(
  { traceId, position }: Candidate,
  { range, order, after }: SpanSearch,
  matcher: Matcher,
  { store, budget }: SearchSources,
): Promise<FoundTrace | undefined> {
  budget.countQuery();
  const trace = await store.spansOf(traceId);
  const matched = matchedSpans(trace.spans, matcher, range);
  const [newest] = matched;
  if (newest === undefined) return undefined;
  const before = order === 'newest' && after !== undefined && isBefore(newest, after);
  return before ? undefined : { trace, matched, position };
}

const isBefore = (span: SpanEntry, { at, id }: SearchPosition) =>
  newestFirst(span, { startMs: at, spanId: id }) <= 0;
