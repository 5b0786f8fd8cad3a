import * as z from 'zod';
import type { CloudSeries } from './families.ts';
import { cloudFamilies, cloudFamilyNames } from './families.ts';

export const capabilityMetricSchema = z
  .strictObject({
    name: z.string().meta({ examples: ['mainstay_backups_total'] }),
    type: z.enum(['counter', 'gauge']),
    help: z.string(),
    series: z.array(
      z.strictObject({
        labels: z.record(z.string(), z.string()),
        at: z.iso
          .datetime()
          .nullable()
          .describe('When it was so; null for a counter that has counted nothing.'),
        value: z.number(),
      }),
    ),
  })
  .meta({ title: 'Metric of a capability' });

/** What was read of CloudWatch, by metric. */
export function capabilityFigures(all: readonly CloudSeries[]): z.input<typeof capabilityMetricSchema>[] {
  const byFamily = Map.groupBy(all, ({ family }) => family);
  return cloudFamilyNames.flatMap((family) => {
    const { type, help } = cloudFamilies[family];
    const series = (byFamily.get(family) ?? []).map(({ labels, at, value }) => ({
      ...{ labels: { ...labels }, value },
      at: at === 0 ? null : new Date(at).toISOString(),
    }));
    const name = type === 'counter' ? `${family}_total` : family;
    return series.length === 0 ? [] : [{ name, type, help, series }];
  });
}
