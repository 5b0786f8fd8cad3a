import { Problem } from '../../shared/problem.ts';
import type { StatsStore } from '../stats/stats-store.ts';
import { dayMs } from '../store/keys.ts';
import type { SpanBlocks, TimeRange } from '../store/span-blocks.ts';
import type { StoredTrace, TraceReader } from '../store/trace-reader.ts';
import { Budget } from './search/budget.ts';
import type { SearchSources } from './search/search.ts';

/** What the routes that show traces read, and nothing that they write. */
export interface TracingSources {
  readonly store: Pick<TraceReader, 'spansOf'>;
  readonly blocks: Pick<SpanBlocks, 'services' | 'operations' | 'partitions' | 'blocks'>;
  readonly stats: Pick<StatsStore, 'read'>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Time kept back to shape an answer. */
const answerMs = 5_000;
const hourMs = 3_600_000;
/** The longest range that one request is about: what is kept longer is searched piece by piece. */
export const maximumRangeMs = 31 * dayMs;

/** What one search may read of the sources, and for how long. */
export function searchSources(
  { store, blocks }: TracingSources,
  { remainingMs }: { remainingMs(): number },
): SearchSources {
  return { store, blocks, budget: new Budget(() => remainingMs() > answerMs) };
}

export const inTime =
  ({ remainingMs }: { remainingMs(): number }) =>
  () =>
    remainingMs() > answerMs;

/**
 * A range of time as it is asked for: by default the hour before its end, which is now.
 *
 * @throws Problem for one that is empty or too long; `field` names where its start is.
 */
export function rangeOf(
  { fromMs, toMs }: { fromMs?: number | undefined; toMs?: number | undefined },
  { now, field, longest = maximumRangeMs }: { now: number; field: string; longest?: number },
): TimeRange {
  const to = toMs ?? now;
  const range = { fromMs: fromMs ?? to - hourMs, toMs: to };
  const wrong =
    range.fromMs >= range.toMs
      ? 'is not before the end'
      : range.toMs - range.fromMs > longest
        ? `is more than ${Math.floor(longest / dayMs)} days before the end`
        : undefined;
  if (wrong === undefined) return range;
  throw new Problem('invalid-request', `${field}: ${wrong}.`, { errors: [{ field, message: wrong }] });
}

/**
 * A trace that is there.
 *
 * @throws Problem 404.
 */
export async function requiredTrace({ store }: TracingSources, traceId: string): Promise<StoredTrace> {
  const trace = await store.spansOf(traceId);
  if (trace.spans.length === 0) throw new Problem('not-found', 'trace not found');
  return trace;
}

/** Runs what reads a caller’s query: what is wrong with that is told to the caller, naming the field. */
export async function askedBy<T>(field: string, run: () => Promise<T> | T): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new Problem('invalid-request', `${field}: ${error.message}.`, {
      errors: [{ field, message: error.message }],
      cause: error,
    });
  }
}
