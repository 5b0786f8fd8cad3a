import { gaugeMs, reportedLimits as limits } from './limits.ts';

/** Why data points are not kept, as the sender is told. */
const reasons = {
  unsupported:
    'of a kind that is not taken (exponential histograms, summaries, sums without a temporality, deltas of sums that fall)',
  name: `without a name, or with one of more than ${limits.name} characters`,
  reserved: 'whose name begins with mainstay_',
  kind: 'whose metric is known as one of another kind, or whose name another one needs',
  invalid: 'without a time or a finite value, or whose counts do not fit together',
  labels: `with more than ${limits.attributes} attributes, a name of more than ${limits.name} characters, a value of more than ${limits.value}, or more than ${limits.buckets} buckets`,
  old: `of a gauge, more than ${gaugeMs / 60_000} minutes old`,
  ahead: 'that are ahead of this clock',
  metrics: `beyond ${limits.metricsOfService} metrics of a service, ${limits.metrics} in all`,
  full: `beyond ${limits.series} series of a metric, ${limits.runs} senders of a series, or ${limits.bytes} bytes of a metric`,
} as const;
export type Rejection = keyof typeof reasons;

/** What the sender is told of what was rejected; empty when nothing was. */
export function describeRejected(rejected: ReadonlyMap<Rejection, number>): string {
  if (rejected.size === 0) return '';
  const parts = [...rejected].map(([why, points]) => `${points} ${reasons[why]}`);
  return `Data points not accepted: ${parts.join('; ')}.`;
}
