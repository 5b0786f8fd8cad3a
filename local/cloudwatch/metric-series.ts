import * as z from 'zod';
import { Distribution, distributionSchema } from './distribution.ts';
import type { MetricDatum } from './metric.ts';

/** Periods in which points are kept, in seconds, and for how long. Longer ones are for longer questions. */
const tiers = [
  { seconds: 1, keptSeconds: 3 * 3600 },
  { seconds: 60, keptSeconds: 3 * 3600 },
  { seconds: 300, keptSeconds: 3 * 86_400 },
  { seconds: 3600, keptSeconds: 30 * 86_400 },
] as const;

export const seriesSchema = z.object({
  namespace: z.string(),
  name: z.string(),
  dimensions: z.record(z.string(), z.string()),
  unit: z.string(),
  /** By length of the period in seconds: its start, in seconds since the epoch, and its values. */
  buckets: z.record(z.string(), z.array(z.tuple([z.number(), distributionSchema]))),
});

export type MetricIdentity = Pick<MetricDatum, 'namespace' | 'name' | 'dimensions'>;

/** One metric: its values in periods of several lengths. */
export class MetricSeries {
  readonly identity: MetricIdentity;
  unit = 'None';
  readonly #buckets = new Map<number, Map<number, Distribution>>();

  constructor({ namespace, name, dimensions }: MetricIdentity) {
    this.identity = { namespace, name, dimensions };
  }

  static from(stored: z.infer<typeof seriesSchema>): MetricSeries {
    const series = new MetricSeries(stored);
    series.unit = stored.unit;
    for (const [seconds, buckets] of Object.entries(stored.buckets)) {
      const restored = buckets.map(([start, values]) => [start, Distribution.from(values)] as const);
      series.#buckets.set(Number(seconds), new Map(restored));
    }
    return series;
  }

  record(datum: MetricDatum): void {
    this.unit = datum.unit ?? this.unit;
    for (const { seconds } of tiers) {
      if (seconds === 1 && datum.highResolution !== true) continue;
      const start = floor(datum.timestamp / 1000, seconds);
      const buckets = this.#buckets.get(seconds) ?? new Map<number, Distribution>();
      this.#buckets.set(seconds, buckets);
      const bucket = buckets.get(start) ?? new Distribution();
      buckets.set(start, bucket);
      datum.values.forEach((value, index) => {
        bucket.add(value, datum.counts?.[index] ?? 1);
      });
    }
  }

  /**
   * The values of periods one after the other; undefined for a period without any.
   *
   * @param start of the first period, in seconds; best a multiple of {@link stepFor}.
   */
  periods(start: number, periodSeconds: number, count: number, now: number): (Distribution | undefined)[] {
    const step = stepFor(periodSeconds, start, now);
    const buckets = this.#buckets.get(step) ?? new Map<number, Distribution>();
    return Array.from({ length: count }, (_, index) => {
      let whole: Distribution | undefined;
      const from = start + index * periodSeconds;
      for (let at = floor(from, step); at < from + periodSeconds; at += step) {
        const bucket = buckets.get(at);
        if (bucket === undefined) continue;
        whole ??= new Distribution();
        whole.merge(bucket);
      }
      return whole;
    });
  }

  /** Forgets what is too old. @returns how many periods are left */
  prune(now: number): number {
    let left = 0;
    for (const { seconds, keptSeconds } of tiers) {
      const buckets = this.#buckets.get(seconds);
      for (const start of buckets?.keys() ?? []) {
        if (start + seconds < now - keptSeconds) buckets?.delete(start);
      }
      left += buckets?.size ?? 0;
    }
    return left;
  }

  /** Whether there is a value since a time, in seconds. */
  hasSince(time: number): boolean {
    return [...(this.#buckets.get(3600)?.keys() ?? [])].some((start) => start + 3600 > time);
  }

  toJSON(): z.infer<typeof seriesSchema> {
    const buckets = [...this.#buckets].map(([seconds, all]) => [
      String(seconds),
      [...all].map(([start, values]): [number, z.infer<typeof distributionSchema>] => [
        start,
        values.toJSON(),
      ]),
    ]);
    const { namespace, name, dimensions } = this.identity;
    return {
      namespace,
      name,
      dimensions: { ...dimensions },
      unit: this.unit,
      buckets: Object.fromEntries(buckets),
    };
  }
}

/**
 * The shortest kept period, in seconds, of which periods that begin at `start` can be made; where a
 * period is shorter than what is still kept of its time there is nothing.
 */
export function stepFor(periodSeconds: number, start: number, now: number): number {
  const fitting = tiers.filter(({ seconds }) => seconds <= periodSeconds && periodSeconds % seconds === 0);
  const standard = fitting.filter(({ seconds }) => seconds > 1 || periodSeconds < 60);
  const kept = standard.find(({ keptSeconds }) => start >= now - keptSeconds);
  return (kept ?? standard.at(-1) ?? tiers[0]).seconds;
}

function floor(time: number, step: number): number {
  return Math.floor(time / step) * step;
}
