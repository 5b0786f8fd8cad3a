import { hourMs } from '../../store/keys.ts';
import type { SpanEntry } from '../../store/span-block.ts';
import type { BlockPartition, FoundBlock, TimeRange } from '../../store/span-blocks.ts';
import { Matcher } from '../filter/matcher.ts';
import {
  type Candidate,
  newestFirst,
  parallelQueries,
  partitionsOf,
  type SearchEnd,
  type SearchSources,
  type SpanSearch,
} from './search.ts';

/** Blocks of one partition, of which the next is known. */
interface Lane {
  readonly blocks: AsyncGenerator<FoundBlock>;
  head: FoundBlock;
}

/**
 * The spans that a search finds, in the order of their start, the latest first: hour by hour, the blocks of an hour merged.
 * It reads no further than it is asked to.
 */
export async function* newestSpans(
  search: SpanSearch,
  sources: SearchSources,
): AsyncGenerator<Candidate, SearchEnd> {
  const { after } = search;
  const range = { ...search.range };
  if (after !== undefined) range.toMs = Math.min(range.toMs, Math.floor(after.at) + 1);
  if (range.fromMs >= range.toMs) return { complete: true };
  const matcher = new Matcher(search.filter);
  const isAfter = ({ startMs, spanId }: SpanEntry) =>
    after === undefined || newestFirst({ startMs: after.at, spanId: after.id }, { startMs, spanId }) < 0;
  for (const partitions of await partitionsOf({ ...search, range }, sources)) {
    const lanes = await open(partitions, range, sources);
    let found: SpanEntry[] = [];
    for (;;) {
      const newest = lanes.reduce(
        (most, { head }) => Math.max(most, head.lastMs + 1),
        Number.NEGATIVE_INFINITY,
      );
      // What starts later than all that is still to be read.
      for (let next = found.at(-1); next !== undefined && next.startMs >= newest; next = found.at(-1)) {
        found.pop();
        yield { traceId: next.traceId, position: { at: next.startMs, id: next.spanId } };
      }
      if (sources.budget.exhausted) {
        const at = lanes.length > 0 ? newest : startOf(partitions);
        // Behind all that starts at this moment: that has been read.
        return { complete: false, at: { at, id: '~' } };
      }
      const lane = lanes.find(({ head }) => head.lastMs + 1 === newest);
      if (lane === undefined) break;
      const { block } = lane.head;
      const entries = matcher.matches(block).map((index) => block.entry(index));
      found = [...found, ...entries.filter((entry) => isAfter(entry) && inRange(entry, range))];
      found.sort((one, other) => newestFirst(other, one));
      await advance(lane, lanes, sources);
    }
  }
  return { complete: true };
}

async function open(partitions: readonly BlockPartition[], range: TimeRange, sources: SearchSources) {
  const lanes: Lane[] = [];
  for (let from = 0; from < partitions.length; from += parallelQueries) {
    const opened = partitions.slice(from, from + parallelQueries).map(async (partition) => {
      sources.budget.countQuery();
      const blocks = sources.blocks.blocks(partition, range);
      const { value, done } = await blocks.next();
      if (done !== true) lanes.push({ blocks, head: value });
    });
    await Promise.all(opened);
  }
  return lanes;
}

async function advance(lane: Lane, lanes: Lane[], { budget }: SearchSources): Promise<void> {
  budget.countBlock();
  const { value, done } = await lane.blocks.next();
  if (done === true) lanes.splice(lanes.indexOf(lane), 1);
  else lane.head = value;
}

const startOf = (partitions: readonly BlockPartition[]) => (partitions[0]?.hour ?? 0) * hourMs;

const inRange = ({ startMs }: SpanEntry, { fromMs, toMs }: TimeRange) => startMs >= fromMs && startMs < toMs;
