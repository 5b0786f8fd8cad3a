import { QuantileSketch, sketchRelativeError } from '../../shared/sketches/quantile.ts';
import { hourMs, hourOf, startOf } from '../tally/hours.ts';
import {
  type FunctionTally,
  memoryUsed,
  type RouteTally,
  statusClasses,
  type Tally,
} from '../tally/tally.ts';
import type { ErrorFigures, FunctionFigures, RequestFigures, RouteFigures, Totals } from './contract.ts';

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The last so many hours, the present one being the first. */
export const lastHours = (hours: number, now: number): Span => ({
  fromMs: startOf(hourOf(now)) - (hours - 1) * hourMs,
  toMs: now,
});

/** What was counted in a span of time, added up. */
export function totalsOf(tally: Tally, { fromMs, toMs }: Span): Totals {
  const functions = [...tally.functions.values()];
  const sum = (read: (fn: FunctionTally) => number) => functions.reduce((all, fn) => all + read(fn), 0);
  return {
    ...{ from: iso(fromMs), to: iso(toMs), relativeError: sketchRelativeError },
    requests: requestFigures([...tally.routes.values()]),
    functions: {
      invocations: sum(({ invocations }) => invocations),
      errors: sum(({ errors }) => errors),
      coldStarts: sum(({ coldStarts }) => coldStarts),
      memoryUsed: memoryUsed(tally),
    },
  };
}

/** Routes, the busiest first. */
export function routeFigures(tally: Tally): RouteFigures[] {
  return [...tally.routes]
    .map(([route, each]) => ({
      ...{ route, service: each.service, byStatus: each.codes },
      ...requestFigures([each]),
      slowest:
        each.exemplar === undefined
          ? null
          : {
              traceId: each.exemplar.traceId,
              durationMs: each.exemplar.durationMs,
              at: iso(each.exemplar.at),
            },
    }))
    .sort((a, b) => b.total - a.total || (a.route < b.route ? -1 : 1));
}

/** Functions, the busiest first. */
export function functionFigures(tally: Tally): FunctionFigures[] {
  return [...tally.functions]
    .map(([name, { service, invocations, errors, coldStarts, duration, sumMs, ...memory }]) => ({
      ...{ function: name, service, invocations, errors, coldStarts, ...memory },
      ...durationFigures(duration, sumMs),
    }))
    .sort((a, b) => b.invocations - a.invocations || (a.function < b.function ? -1 : 1));
}

/** Kinds of error, the most frequent first. What is known of one from before the span says when it was first seen. */
export function errorFigures(tally: Tally, ever: Tally): ErrorFigures[] {
  return [...tally.errors]
    .map(([key, { type, where, pattern, count, firstAt, lastAt, traceId }]) => ({
      ...{ type, where, pattern, count },
      firstSeen: iso(Math.min(firstAt, ever.errors.get(key)?.firstAt ?? firstAt)),
      lastSeen: iso(lastAt),
      traceId: traceId ?? null,
    }))
    .sort((a, b) => b.count - a.count || (a.lastSeen > b.lastSeen ? -1 : 1));
}

function requestFigures(routes: readonly RouteTally[]): RequestFigures {
  const latency = new QuantileSketch();
  const counts = { total: 0, clientErrors: 0, errors: 0 };
  let sumMs = 0;
  for (const route of routes) {
    latency.merge(route.latency);
    sumMs += route.sumMs;
    for (const code of statusClasses) counts.total += route.codes[code] ?? 0;
    counts.clientErrors += route.codes['4xx'] ?? 0;
    counts.errors += route.codes['5xx'] ?? 0;
  }
  const errorRate = counts.total === 0 ? 0 : counts.errors / counts.total;
  return { ...counts, errorRate, ...durationFigures(latency, sumMs) };
}

function durationFigures(sketch: QuantileSketch, sumMs: number) {
  const quantile = (of: number) => rounded(sketch.quantile(of));
  return {
    averageMs: rounded(sketch.count === 0 ? undefined : sumMs / sketch.count),
    ...{ p50Ms: quantile(0.5), p95Ms: quantile(0.95), p99Ms: quantile(0.99) },
  };
}

const rounded = (value: number | undefined): number | null =>
  value === undefined ? null : Math.round(value * 100) / 100;

const iso = (ms: number): string => new Date(ms).toISOString();
