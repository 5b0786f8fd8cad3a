import type { QuantileSketch } from '../../shared/sketches/quantile.ts';
import { statusClasses, type Tally } from '../tally/tally.ts';
import type { Family, HistogramSample, Labels, SummarySample } from './family.ts';
import { tenantFamilies } from './tenant-families.ts';

/** Upper bounds of the buckets of durations, in ms. */
export const latencyBoundsMs = [5, 10, 25, 50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000, 30_000] as const;

/**
 * What was counted of Mainstay's own requests and functions, as families of metrics.
 *
 * @param quantiles asks for summaries with these, in place of histograms, which can be aggregated.
 */
export function ownFamilies(tally: Tally, quantiles: readonly number[] = []): Family[] {
  const routes = [...tally.routes].sort(byName);
  const functions = [...tally.functions].sort(byName);
  const counted = (
    name: string,
    help: string,
    read: (fn: (typeof functions)[number][1]) => number,
  ): Family => ({
    ...{ name, help, type: 'counter' },
    samples: functions.map(([fn, each]) => ({
      labels: { service: each.service, function: fn },
      value: read(each),
    })),
  });
  const sized = (
    name: string,
    help: string,
    read: (fn: (typeof functions)[number][1]) => number,
  ): Family => ({
    ...{ name, help, type: 'gauge', unit: 'bytes' },
    samples: functions.map(([fn, each]) => ({
      labels: { service: each.service, function: fn },
      value: read(each),
    })),
  });
  return [
    ...tenantFamilies(tally),
    {
      name: 'mainstay_http_requests',
      help: 'Requests of the API, by route and class of status.',
      type: 'counter',
      samples: routes.flatMap(([route, { service, codes }]) =>
        statusClasses.flatMap((code) =>
          codes[code] === undefined ? [] : [{ labels: { service, route, code }, value: codes[code] }],
        ),
      ),
    },
    durations('mainstay_http_request_duration_seconds', 'Duration of requests of the API.', quantiles, [
      ...routes.map(([route, { service, latency, sumMs, exemplar }]) => ({
        labels: { service, route },
        ...{ sketch: latency, sumMs },
        ...(exemplar !== undefined && {
          exemplar: { traceId: exemplar.traceId, value: exemplar.durationMs / 1000, at: exemplar.at },
        }),
      })),
    ]),
    counted('mainstay_function_invocations', 'Invocations of functions.', ({ invocations }) => invocations),
    counted('mainstay_function_errors', 'Invocations of functions that failed.', ({ errors }) => errors),
    counted(
      'mainstay_function_cold_starts',
      'Invocations that began with the start of an environment.',
      (fn) => fn.coldStarts,
    ),
    durations(
      'mainstay_function_duration_seconds',
      'Duration of invocations of functions.',
      quantiles,
      functions.map(([fn, { service, duration, sumMs }]) => ({
        ...{ labels: { service, function: fn }, sketch: duration, sumMs },
      })),
    ),
    sized(
      'mainstay_function_peak_memory_bytes',
      'The most memory that an invocation used.',
      (fn) => fn.peakMemoryBytes,
    ),
    sized('mainstay_function_memory_limit_bytes', 'Memory that a function has.', (fn) => fn.memoryLimitBytes),
  ];
}

interface Durations {
  readonly labels: Labels;
  readonly sketch: QuantileSketch;
  readonly sumMs: number;
  readonly exemplar?: HistogramSample['exemplar'];
}

function durations(
  name: string,
  help: string,
  quantiles: readonly number[],
  all: readonly Durations[],
): Family {
  const described = { name, help, unit: 'seconds' } as const;
  return quantiles.length > 0
    ? { ...described, type: 'summary', samples: all.map((each) => summaryOf(each, quantiles)) }
    : { ...described, type: 'histogram', samples: all.map(histogramOf) };
}

const histogramOf = ({ labels, sketch, sumMs, exemplar }: Durations): HistogramSample => ({
  labels,
  buckets: latencyBoundsMs.map((bound) => ({ upTo: bound / 1000, count: sketch.countUpTo(bound) })),
  ...{ count: sketch.count, sum: sumMs / 1000 },
  ...(exemplar !== undefined && { exemplar }),
});

const summaryOf = ({ labels, sketch, sumMs }: Durations, quantiles: readonly number[]): SummarySample => ({
  labels,
  quantiles: quantiles.map((quantile) => ({
    quantile,
    value: (sketch.quantile(quantile) ?? Number.NaN) / 1000,
  })),
  ...{ count: sketch.count, sum: sumMs / 1000 },
});

const byName = ([one]: [string, unknown], [two]: [string, unknown]): number => (one < two ? -1 : 1);
