/** The most data points of a request. */
export const maximumPoints = 10_000;
/** What is kept of what services report; what is beyond is rejected, and the answer says so. */
export const reportedLimits = {
  /** Metrics of one service. */
  metricsOfService: 50,
  /** Metrics of all services; the same name of two services counts twice. */
  metrics: 300,
  /** Series of one metric of one service: combinations of labels. */
  series: 1_000,
  /** Runs of processes that one series hears of at a time. */
  runs: 256,
  /** Bytes that one metric of one service takes as it is stored. */
  bytes: 128 * 1024,
  attributes: 20,
  /** Buckets of a histogram. */
  buckets: 50,
  /** Characters of a name of a metric, a service or an attribute. */
  name: 128,
  /** Characters of an attribute's value. */
  value: 256,
} as const;

/** How long a gauge is shown after its last report, in ms. */
export const gaugeMs = 10 * 60_000;
/** How far ahead of this clock a report may be, in ms. */
export const aheadMs = 10 * 60_000;
/** After so long a silence a run makes room for others, in ms. */
export const runMs = 3_600_000;
/** After so long a silence a series makes room for others, in ms. */
export const seriesMs = 30 * 24 * 3_600_000;
/** After so many days of silence a metric is forgotten. */
export const metricDays = 90;
