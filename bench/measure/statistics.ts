/**
 * The value that so much of the sample is not above; between two values, the one nearer to the rank.
 *
 * @param share 0 to 1: 0.5 is the median.
 * @throws when there are no values.
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.round(share * (sorted.length - 1))];
  if (value === undefined) throw new Error('There is no quantile of no values.');
  return value;
}

/** The middle of the values. @throws when there are none. */
export const median = (values: readonly number[]): number => quantile(values, 0.5);
