import * as z from 'zod';
import { runMs, seriesMs } from './limits.ts';
import type { ReportedKind } from './names.ts';

const ms = z.number();
/**
 * What one run of a process has reported of a series. It is told by its resource and start: a restart is another run, so that its
 * numbers, which begin anew, are added to those of the one before, in whatever order their reports come.
 */
const runSchema = z.strictObject({
  start: ms,
  /** When the last report came, by this clock. */
  seen: ms,
  /** Of cumulative reports the latest end; of deltas the latest ends, rising. */
  ends: z.array(ms),
  /** What it has counted up to then; empty for deltas. */
  values: z.array(z.number()),
});
const seriesSchema = z.strictObject({
  labels: z.record(z.string(), z.string()),
  bounds: z.array(z.number()).optional(),
  /** A histogram's counts by bucket, then its sum; of others one number. */
  total: z.array(z.number()),
  seen: ms,
  runs: z.record(z.string(), runSchema),
  /** The latest start of runs that are not remembered any more. */
  forgotten: ms.optional(),
});
export type Series = z.output<typeof seriesSchema>;
export const allSeriesSchema = z.record(z.string(), seriesSchema);
type Run = z.output<typeof runSchema>;

/** One report of a series. */
export interface Point {
  readonly labels: Readonly<Record<string, string>>;
  readonly bounds?: readonly number[];
  /** Tells the run of the process from all others. */
  readonly run: string;
  readonly delta: boolean;
  /** Ms since 1970. */
  readonly start: number;
  readonly end: number;
  readonly values: readonly number[];
}

/** Ends of deltas that are remembered of a run: senders send one after the other, and again only what was not answered. */
const rememberedEnds = 8;

/** What a report did: `same` was known already, `full` has no room. */
export type Effect = 'changed' | 'same' | 'full';

/** How much there may be of each; nothing new is taken where that is 0. */
export interface Room {
  readonly series: number;
  readonly runs: number;
}

interface Context extends Room {
  readonly kind: ReportedKind;
  /** Ms since 1970. */
  readonly now: number;
}

/** Takes a report into the series of a metric. */
export function applyPoint(all: Record<string, Series>, point: Point, context: Context): Effect {
  const { kind, now } = context;
  const key = JSON.stringify([point.labels, ...(point.bounds === undefined ? [] : [point.bounds])]);
  const found = Object.hasOwn(all, key) ? all[key] : undefined;
  if (found === undefined && !makeRoom(all, context.series, now - seriesMs)) return 'full';
  const series: Series = found ?? {
    labels: { ...point.labels },
    ...(point.bounds !== undefined && { bounds: [...point.bounds] }),
    ...{ total: point.values.map(() => 0), seen: now, runs: {} },
  };
  const effect = kind === 'gauge' ? setLatest(series, point, now) : applyToRun(series, point, context);
  if (effect === 'changed') {
    series.seen = now;
    all[key] = series;
  }
  return effect;
}

/** The latest value is the one that is shown, whoever reported it. */
function setLatest(series: Series, { start, end, values }: Point, now: number): Effect {
  const latest = series.runs.latest;
  if (latest !== undefined && (latest.ends.at(-1) ?? 0) >= end) return 'same';
  series.runs.latest = { start, seen: now, ends: [end], values: [...values] };
  series.total = [...values];
  return 'changed';
}

function applyToRun(series: Series, point: Point, { kind, now, runs: most }: Context): Effect {
  const { run: key, start, end, delta, values } = point;
  const run = Object.hasOwn(series.runs, key) ? series.runs[key] : undefined;
  if (run !== undefined) {
    return delta ? applyDelta(series, run, point, now) : applyCumulative(series, kind, run, point, now);
  }
  const forget = (gone: Run) => {
    series.forgotten = Math.max(series.forgotten ?? 0, gone.start);
  };
  if (!makeRoom(series.runs, most, now - runMs, forget)) return 'full';
  series.runs[key] = { start, seen: now, ends: [end], values: delta ? [] : [...values] };
  // Whether one that may have been forgotten has been counted before, nobody knows: it counts from here on.
  const known = !delta && series.forgotten !== undefined && start <= series.forgotten;
  if (!known && kind !== 'updown') add(series, values);
  return 'changed';
}

function applyCumulative(series: Series, kind: ReportedKind, run: Run, point: Point, now: number): Effect {
  if (point.end <= (run.ends.at(-1) ?? 0)) return 'same';
  if (kind !== 'updown') {
    const counts = point.values.slice(0, kind === 'histogram' ? -1 : undefined);
    // It began anew without saying so.
    const anew = counts.some((value, index) => value < (run.values[index] ?? 0));
    add(series, anew ? point.values : point.values.map((value, index) => value - (run.values[index] ?? 0)));
  }
  run.ends = [point.end];
  run.values = [...point.values];
  run.seen = now;
  return 'changed';
}

function applyDelta(series: Series, run: Run, { end, values }: Point, now: number): Effect {
  // What is older than all that is remembered cannot be told from what came before.
  const old = run.ends.length === rememberedEnds && end < (run.ends[0] ?? 0);
  if (old || run.ends.includes(end)) return 'same';
  run.ends = [...run.ends, end].sort((one, two) => one - two).slice(-rememberedEnds);
  run.seen = now;
  add(series, values);
  return 'changed';
}

function add(series: Series, values: readonly number[]): void {
  series.total = values.map((value, index) => (series.total[index] ?? 0) + value);
}

/** Whether there is room for one more; what was last heard of before `silent` goes where there is none. */
function makeRoom<T extends { readonly seen: number }>(
  kept: Record<string, T>,
  most: number,
  silent: number,
  forget?: (gone: T) => void,
): boolean {
  if (Object.keys(kept).length < most) return true;
  for (const [key, each] of Object.entries(kept)) {
    if (each.seen >= silent) continue;
    delete kept[key];
    forget?.(each);
  }
  return Object.keys(kept).length < most;
}
