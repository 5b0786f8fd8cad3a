import { MetricUnit } from '@aws-lambda-powertools/metrics';
import { ingestTraces } from '../ingest/ingest-traces.ts';
import type { SpanLimits } from '../ingest/limits.ts';
import { otlpTypes } from '../otlp/answers.ts';
import { ofService, where } from '../query/filter/filter.ts';
import { Budget } from '../query/search/budget.ts';
import { findPage } from '../query/search/find-traces.ts';
import type { SearchSources } from '../query/search/search.ts';
import type { SpanStore } from '../store/span-store.ts';
import type { CanaryMark } from './canary-mark.ts';
import { type CanaryTrace, canaryService, canarySpans, newCanaryTrace } from './canary-trace.ts';

/** How long the canary looks for what it has just written, in ms. A trace that takes longer has this as its delay, or a little more. */
export const longestWaitMs = 20_000;
const [firstPauseMs, longestPauseMs] = [50, 1_000];

export interface CanaryOptions {
  readonly store: Pick<SpanStore, 'putSpans' | 'spansOf'>;
  readonly blocks: SearchSources['blocks'];
  readonly mark: Pick<CanaryMark, 'latest' | 'remember'>;
  readonly limits: SpanLimits;
  readonly retentionDays: number;
  /** Powertools' `Metrics`. */
  readonly metrics: {
    addMetric(name: string, unit: 'Count' | 'Bytes' | 'Milliseconds', value: number): unknown;
  };
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<unknown>;
}

/**
 * Looks whether the trace of the previous run is still there, writes another one as `POST /v1/traces` does, and waits until it is found.
 *
 * Counts `CanaryLost` (1 where the previous trace is gone, or not whole) and `CanaryDelayMs` (from when the new one was sent to when a
 * search found it).
 *
 * @throws DependencyError and Problem when traces can be neither written nor read; nothing is counted then, which raises the alarm as well.
 */
export async function runCanary(options: CanaryOptions): Promise<{ lost?: CanaryTrace; delayMs: number }> {
  const { mark, metrics, now } = options;
  const previous = await mark.latest(now());
  const lost = previous === undefined || (await isFound(previous, options)) ? undefined : previous;
  const trace = await write(now(), options);
  metrics.addMetric('CanaryLost', MetricUnit.Count, lost === undefined ? 0 : 1);
  const delayMs = await waitFor(trace, options);
  metrics.addMetric('CanaryDelayMs', MetricUnit.Milliseconds, delayMs);
  return { ...(lost !== undefined && { lost }), delayMs };
}

async function write(startMs: number, options: CanaryOptions): Promise<CanaryTrace> {
  const { mark, store, metrics, limits, retentionDays } = options;
  const { trace, body } = newCanaryTrace(startMs);
  await ingestTraces(
    { body, contentType: otlpTypes.json, contentEncoding: undefined },
    { store, metrics, limits, retentionDays, now: startMs },
  );
  await mark.remember(trace);
  return trace;
}

/** How long after its start the trace is found. */
async function waitFor(trace: CanaryTrace, options: CanaryOptions): Promise<number> {
  const { now, pause } = options;
  const { startMs } = trace;
  let pauseMs = firstPauseMs;
  while (!(await isFound(trace, options)) && now() - startMs < longestWaitMs) {
    await pause(pauseMs);
    pauseMs = Math.min(2 * pauseMs, longestPauseMs);
  }
  return now() - startMs;
}

/** Whether a search finds the trace, and all its spans are read. */
async function isFound(
  { traceId, startMs }: CanaryTrace,
  { store, blocks }: CanaryOptions,
): Promise<boolean> {
  const filter = { all: [ofService(canaryService), where({ of: 'traceId' }, '=', traceId)] };
  const range = { fromMs: startMs, toMs: startMs + 1 };
  const sources = { store, blocks, budget: new Budget() };
  const { items } = await findPage({ filter, range, order: 'newest' }, sources, 1, ({ trace }) => trace);
  return items.some(({ spans }) => spans.length === canarySpans);
}
