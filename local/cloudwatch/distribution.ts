import * as z from 'zod';

/** How many different values a period keeps apart; beyond that they are rounded to 1 %. */
const exactValues = 200;
const ratio = 1.02;

export const distributionSchema = z.object({
  sum: z.number(),
  count: z.number(),
  min: z.number(),
  max: z.number(),
  /** Value and how often it was seen. */
  values: z.array(z.tuple([z.number(), z.number()])),
  rounded: z.boolean(),
});
export type StoredDistribution = z.infer<typeof distributionSchema>;

/** The values of one period: sum, count, extremes exactly; percentiles exactly or within 1 %. */
export class Distribution {
  sum = 0;
  count = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;
  #values = new Map<number, number>();
  #rounded = false;

  static from(stored: StoredDistribution): Distribution {
    const distribution = new Distribution();
    distribution.sum = stored.sum;
    distribution.count = stored.count;
    distribution.min = stored.min;
    distribution.max = stored.max;
    distribution.#values = new Map(stored.values);
    distribution.#rounded = stored.rounded;
    return distribution;
  }

  add(value: number, count = 1): void {
    this.sum += value * count;
    this.count += count;
    this.min = Math.min(this.min, value);
    this.max = Math.max(this.max, value);
    this.#see(value, count);
  }

  merge(other: Distribution): void {
    this.sum += other.sum;
    this.count += other.count;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
    for (const [value, count] of other.#values) this.#see(value, count);
  }

  /** The smallest value that is not less than that share of all. @param share 0 to 1 */
  percentile(share: number): number {
    const wanted = Math.max(share * this.count, Number.MIN_VALUE);
    let seen = 0;
    for (const [value, count] of [...this.#values].sort(([a], [b]) => a - b)) {
      seen += count;
      if (seen >= wanted - 1e-9) return Math.min(Math.max(value, this.min), this.max);
    }
    return this.max;
  }

  toJSON(): StoredDistribution {
    const { sum, count, min, max } = this;
    return { sum, count, min, max, values: [...this.#values], rounded: this.#rounded };
  }

  #see(value: number, count: number): void {
    const key = this.#rounded ? round(value) : value;
    this.#values.set(key, (this.#values.get(key) ?? 0) + count);
    if (this.#rounded || this.#values.size <= exactValues) return;
    this.#rounded = true;
    const exact = this.#values;
    this.#values = new Map();
    for (const [each, times] of exact) this.#see(each, times);
  }
}

/** To the middle of a bucket whose ends are 2 % apart. */
function round(value: number): number {
  if (value === 0) return 0;
  const bucket = Math.round(Math.log(Math.abs(value)) / Math.log(ratio));
  return Math.sign(value) * ratio ** bucket;
}
