import { hourMs } from '../../store/keys.ts';
import type { SpanEntry } from '../../store/span-block.ts';
import type { BlockPartition } from '../../store/span-blocks.ts';
import { Matcher } from '../filter/matcher.ts';
import { searchBounds } from './budget.ts';
import {
  type Candidate,
  parallelQueries,
  partitionsOf,
  type SearchEnd,
  type SearchOrder,
  type SearchPosition,
  type SearchSources,
  type SpanSearch,
} from './search.ts';

type RankedOrder = Exclude<SearchOrder, 'newest'>;

/**
 * The traces that a search finds in an order that is not the one they lie in: all of the range is read first, the latest hours
 * first. At a bound, what has been read is put in order, and the end says how far back that was.
 */
export async function* rankedTraces(
  search: SpanSearch & { readonly order: RankedOrder },
  sources: SearchSources,
): AsyncGenerator<Candidate, SearchEnd> {
  const { ranks, readBackTo } = await read(search, sources);
  const { order, after } = search;
  const sorted = [...ranks]
    .map(([traceId, at]): Candidate => ({ traceId, position: { at, id: traceId } }))
    .filter(({ position }) => after === undefined || compare(order, after, position) < 0)
    .sort((one, other) => compare(order, one.position, other.position));
  yield* sorted;
  return readBackTo === undefined ? { complete: true } : { complete: false, at: { at: readBackTo, id: '' } };
}

/** The best span of each trace, hour by hour, and how far back it got where it reached a bound. */
async function read(search: SpanSearch & { readonly order: RankedOrder }, sources: SearchSources) {
  const { order, range } = search;
  const { budget, blocks } = sources;
  const matcher = new Matcher(search.filter);
  const ranks = new Map<string, number>();
  const add = (entry: SpanEntry) => {
    if (entry.startMs < range.fromMs || entry.startMs >= range.toMs) return;
    const known = ranks.get(entry.traceId);
    ranks.set(entry.traceId, known === undefined ? rankOf(order, entry) : better(order, known, entry));
  };
  const exhausted = () => budget.exhausted || ranks.size >= searchBounds.traces;
  let readBackTo: number | undefined;
  const readPartition = async (partition: BlockPartition) => {
    budget.countQuery();
    for await (const { block, lastMs } of blocks.blocks(partition, range)) {
      budget.countBlock();
      for (const index of matcher.matches(block)) add(block.entry(index));
      if (!exhausted()) continue;
      readBackTo = Math.max(readBackTo ?? 0, lastMs);
      return;
    }
  };
  for (const partitions of await partitionsOf(search, sources)) {
    for (let from = 0; from < partitions.length; from += parallelQueries) {
      await Promise.all(partitions.slice(from, from + parallelQueries).map(readPartition));
    }
    if (exhausted()) return { ranks, readBackTo: readBackTo ?? (partitions[0]?.hour ?? 0) * hourMs };
  }
  return { ranks, readBackTo };
}

const rankOf = (order: RankedOrder, { startMs, durationMs }: SpanEntry) =>
  order === 'oldest' ? startMs : durationMs;

const better = (order: RankedOrder, known: number, entry: SpanEntry) =>
  order === 'longest' ? Math.max(known, entry.durationMs) : Math.min(known, rankOf(order, entry));

function compare(order: RankedOrder, one: SearchPosition, other: SearchPosition): number {
  const difference = order === 'longest' ? other.at - one.at : one.at - other.at;
  return difference || (one.id < other.id ? -1 : one.id > other.id ? 1 : 0);
}
