import type { KeyValue, Resource } from '../../tracing/model.ts';

/** OTLP's `AggregationTemporality`. */
export const temporalities = { delta: 1, cumulative: 2 } as const;

interface Point {
  readonly attributes: readonly KeyValue[];
  /** Decimal nanoseconds since 1970; `0` where the sender does not say. */
  readonly start: string;
  readonly time: string;
  /** The first bit says that there is no value. */
  readonly flags: number;
}

export interface NumberPoint extends Point {
  readonly value: number | undefined;
}

export interface HistogramPoint extends Point {
  readonly count: number;
  readonly sum: number;
  readonly buckets: readonly number[];
  /** One fewer than buckets, rising. */
  readonly bounds: readonly number[];
}

export type MetricData =
  | { readonly type: 'gauge'; readonly points: readonly NumberPoint[] }
  | {
      readonly type: 'sum';
      readonly temporality: number;
      readonly monotonic: boolean;
      readonly points: readonly NumberPoint[];
    }
  | { readonly type: 'histogram'; readonly temporality: number; readonly points: readonly HistogramPoint[] }
  /** A kind that is not taken: an exponential histogram, a summary. */
  | { readonly type: 'other'; readonly points: readonly object[] };

export interface OtlpMetric {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly data: MetricData;
}

export interface ResourceMetrics {
  readonly resource: Resource;
  readonly scopeMetrics: readonly { readonly scope: string; readonly metrics: readonly OtlpMetric[] }[];
}
