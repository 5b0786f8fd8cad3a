import * as z from 'zod';
import { shownSeries } from './families.ts';
import type { ReportedMetric } from './reported-store.ts';

/** Series that an answer has of all metrics together. */
export const mostReported = 2_000;

export const reportedSchema = z
  .strictObject({
    name: z.string().meta({ examples: ['deployments_total'] }),
    service: z.string(),
    type: z.enum(['counter', 'gauge', 'histogram']),
    help: z.string(),
    series: z.array(
      z.strictObject({
        labels: z.record(z.string(), z.string()),
        at: z.iso.datetime().describe('When it was last reported.'),
        value: z.number().nullable().describe('Of a histogram the sum of what was observed.'),
        count: z.number().nullable().describe('Observations of a histogram.'),
      }),
    ),
  })
  .meta({ title: 'Reported metric' });
export type ReportedFigures = z.input<typeof reportedSchema>;

/** What services have reported, in the order of names; the first series, as many as there is room for. */
export function reportedFigures(all: readonly ReportedMetric[], now: number): ReportedFigures[] {
  let room = mostReported;
  return all.map((metric) => {
    const { kind, service, help } = metric;
    const series = shownSeries(metric, now).slice(0, room);
    room -= series.length;
    return {
      name: kind === 'counter' ? `${metric.metric}_total` : metric.metric,
      ...{ service, type: kind === 'updown' ? 'gauge' : kind, help },
      series: series.map(({ labels, at, value, histogram }) => ({
        ...{ labels: { ...labels }, at: new Date(at).toISOString() },
        value: value ?? histogram?.sum ?? null,
        count: histogram?.count ?? null,
      })),
    };
  });
}
