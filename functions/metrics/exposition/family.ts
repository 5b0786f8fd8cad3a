/** Names and values of labels; names as Prometheus takes them (`[a-zA-Z_][a-zA-Z0-9_]*`). */
export type Labels = Readonly<Record<string, string>>;

/** One observation that stands for others, and the trace that shows it. */
export interface SampleExemplar {
  readonly traceId: string;
  readonly value: number;
  /** Ms since 1970. */
  readonly at: number;
}

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

export interface HistogramSample {
  readonly labels: Labels;
  /** How many observations were at most `upTo`, the bounds rising; without the last one, which has no bound. */
  readonly buckets: readonly { readonly upTo: number; readonly count: number }[];
  readonly count: number;
  readonly sum: number;
  readonly exemplar?: SampleExemplar;
}

export interface SummarySample {
  readonly labels: Labels;
  readonly quantiles: readonly { readonly quantile: number; readonly value: number }[];
  readonly count: number;
  readonly sum: number;
}

interface Described {
  /** Without `_total` and `_info`, and with the unit as its end where it has one. */
  readonly name: string;
  readonly help: string;
  readonly unit?: 'seconds' | 'bytes' | 'ratio';
}

/** Metrics of one name. */
export type Family = Described &
  (
    | { readonly type: 'counter' | 'gauge' | 'info'; readonly samples: readonly Sample[] }
    | { readonly type: 'histogram'; readonly samples: readonly HistogramSample[] }
    | { readonly type: 'summary'; readonly samples: readonly SummarySample[] }
  );
