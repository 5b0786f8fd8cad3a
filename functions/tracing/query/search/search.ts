import * as z from 'zod';
import type { TraceSpan } from '../../model.ts';
import { columnsOf, SpanBlock, type SpanEntry } from '../../store/span-block.ts';
import type { BlockPartition, SpanBlocks, TimeRange } from '../../store/span-blocks.ts';
import type { TraceReader } from '../../store/trace-reader.ts';
import { type Filter, servicesOf } from '../filter/filter.ts';
import type { Matcher } from '../filter/matcher.ts';
import { type Budget, searchBounds } from './budget.ts';

/** The order of traces: by the start of the span that was found, or by how long that took. */
export const searchOrders = ['newest', 'oldest', 'longest', 'shortest'] as const;
export type SearchOrder = (typeof searchOrders)[number];

/** Where a search has come to: start or duration of a span in milliseconds, and an id among equals. */
export const searchPosition = z.strictObject({ at: z.number(), id: z.string().max(32) });
export type SearchPosition = z.output<typeof searchPosition>;

export interface SpanSearch {
  readonly filter: Filter;
  readonly range: TimeRange;
  readonly order: SearchOrder;
  /** Goes on after this. */
  readonly after?: SearchPosition | undefined;
}

/** What searches read. */
export interface SearchSources {
  readonly blocks: Pick<SpanBlocks, 'services' | 'partitions' | 'blocks'>;
  readonly store: Pick<TraceReader, 'spansOf'>;
  readonly budget: Budget;
}

/** A trace that has a span which was looked for. */
export interface Candidate {
  readonly traceId: string;
  readonly position: SearchPosition;
}

/** How a search ended: with all of the range searched, or at a bound. */
export type SearchEnd =
  | { readonly complete: true }
  | { readonly complete: false; readonly at: SearchPosition };

/**
 * The partitions to search, in groups of one hour, the latest first.
 *
 * @throws RangeError when the filter names no service, and there are too many.
 */
export async function partitionsOf(
  { filter, range }: Pick<SpanSearch, 'filter' | 'range'>,
  { blocks, budget }: SearchSources,
): Promise<(readonly BlockPartition[])[]> {
  const services = servicesOf(filter) ?? (await blocks.services(range));
  if (services.length > searchBounds.services) {
    throw new RangeError(
      `there are ${services.length} services: name at most ${searchBounds.services} of them`,
    );
  }
  const partitions: BlockPartition[] = [];
  for (let from = 0; from < services.length; from += parallelQueries) {
    const some = services.slice(from, from + parallelQueries);
    for (const _ of some) budget.countQuery();
    partitions.push(...(await Promise.all(some.map((service) => blocks.partitions(service, range)))).flat());
  }
  const hours = [...Map.groupBy(partitions, ({ hour }) => hour)];
  return hours.sort(([one], [other]) => other - one).map(([, ofHour]) => ofHour);
}

export const parallelQueries = 16;

/** Spans of a trace that fulfil a filter and started within a range, the latest start first. */
export function matchedSpans(spans: readonly TraceSpan[], matcher: Matcher, range: TimeRange): SpanEntry[] {
  const byService = Map.groupBy(spans, ({ service }) => service);
  return [...byService]
    .flatMap(([service, own]) => {
      const block = new SpanBlock(service, columnsOf(own));
      return matcher.matches(block).map((index) => block.entry(index));
    })
    .filter(({ startMs }) => startMs >= range.fromMs && startMs < range.toMs)
    .sort(newestFirst);
}

export function newestFirst(
  one: Pick<SpanEntry, 'startMs' | 'spanId'>,
  other: Pick<SpanEntry, 'startMs' | 'spanId'>,
): number {
  return other.startMs - one.startMs || (one.spanId < other.spanId ? -1 : one.spanId > other.spanId ? 1 : 0);
}
