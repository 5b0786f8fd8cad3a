import type { Family, HistogramSample, Labels, Sample } from '../exposition/family.ts';
import { gaugeMs } from './limits.ts';
import type { ReportedKind } from './names.ts';
import type { ReportedMetric } from './reported-store.ts';
import type { Series } from './series.ts';

/** Lines of text that are shown of what services report: an answer of a function has a limit. */
const mostLines = 30_000;

/** What one series of a metric comes to. */
export interface ShownSeries {
  readonly labels: Labels;
  /** When it was last reported, in ms since 1970. */
  readonly at: number;
  /** Of a histogram, none. */
  readonly value?: number;
  readonly histogram?: Omit<HistogramSample, 'labels'>;
}

/** The series of a metric that are shown: gauges only for a while after their last report. */
export function shownSeries({ service, kind, series }: ReportedMetric, now: number): ShownSeries[] {
  const byLabels = new Map<string, Series>();
  for (const each of Object.values(series)) {
    const key = JSON.stringify(each.labels);
    const other = byLabels.get(key);
    // With other bounds it is another histogram; the text has one place for both.
    if (other === undefined || other.seen < each.seen) byLabels.set(key, each);
  }
  return [...byLabels.values()].flatMap((each) => {
    const shown = shownOf(each, kind, now);
    return shown === undefined ? [] : [{ labels: { service, ...each.labels }, at: each.seen, ...shown }];
  });
}

function shownOf(
  series: Series,
  kind: ReportedKind,
  now: number,
): Pick<ShownSeries, 'value' | 'histogram'> | undefined {
  switch (kind) {
    case 'counter':
      return { value: series.total[0] ?? 0 };
    case 'histogram':
      return { histogram: histogramOf(series) };
    case 'gauge':
      return series.seen < now - gaugeMs ? undefined : { value: series.total[0] ?? 0 };
    case 'updown': {
      const runs = Object.values(series.runs).filter(({ seen }) => seen >= now - gaugeMs);
      if (runs.length === 0) return undefined;
      return { value: runs.reduce((sum, { values }) => sum + (values[0] ?? 0), 0) };
    }
  }
}

function histogramOf({ bounds = [], total }: Series): Omit<HistogramSample, 'labels'> {
  const counts = total.slice(0, -1);
  let count = 0;
  const upTo = counts.map((each) => {
    count += each;
    return count;
  });
  return {
    buckets: bounds.map((bound, index) => ({ upTo: bound, count: upTo[index] ?? 0 })),
    ...{ count, sum: total.at(-1) ?? 0 },
  };
}

/** What services have reported, as families of metrics: one for each name, whose kind is that of the first service. */
export function reportedFamilies(all: readonly ReportedMetric[], now: number): Family[] {
  let lines = 0;
  let leftOut = 0;
  const fits = ({ histogram }: ShownSeries) => {
    lines += histogram === undefined ? 1 : histogram.buckets.length + 3;
    if (lines > mostLines) leftOut += 1;
    return lines <= mostLines;
  };
  const families = [...Map.groupBy(all, ({ metric }) => metric)].map(([name, services]): Family => {
    const [{ kind, help } = { kind: 'gauge', help: '' }] = services;
    const shown = services
      .filter((each) => each.kind === kind)
      .flatMap((each) => shownSeries(each, now))
      .filter(fits);
    const described = { name, help: help === '' ? 'Reported by a service.' : help, ...unitOf(name) };
    if (kind === 'histogram') {
      const samples = shown.flatMap(({ labels, histogram }) =>
        histogram === undefined ? [] : [{ labels, ...histogram }],
      );
      return { ...described, type: 'histogram', samples };
    }
    const samples: Sample[] = shown.map(({ labels, value = 0 }) => ({ labels, value }));
    return { ...described, type: kind === 'counter' ? 'counter' : 'gauge', samples };
  });
  const samples = [{ labels: {}, value: leftOut }];
  return [
    ...families,
    {
      name: 'mainstay_reported_series_left_out',
      help: 'Series that the answer has no room for.',
      type: 'gauge',
      samples,
    },
  ];
}

/** The unit that a name ends in, of those that OpenMetrics is told. */
function unitOf(name: string): Pick<Family, 'unit'> {
  const unit = (['seconds', 'bytes', 'ratio'] as const).find((each) => name.endsWith(`_${each}`));
  return unit === undefined ? {} : { unit };
}
