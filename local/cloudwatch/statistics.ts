import type { Distribution } from './distribution.ts';

const simple: Readonly<Record<string, (points: Distribution) => number>> = {
  SampleCount: (points) => points.count,
  Sum: (points) => points.sum,
  Average: (points) => points.sum / points.count,
  Minimum: (points) => points.min,
  Maximum: (points) => points.max,
};

/**
 * The function behind a statistic: SampleCount, Sum, Average, Minimum, Maximum, or a percentile such
 * as `p95` or `p99.9`.
 *
 * @throws Error for statistics that are not supported here, naming them.
 */
export function statistic(name: string): (points: Distribution) => number {
  const known = Object.hasOwn(simple, name) ? simple[name] : undefined;
  if (known !== undefined) return known;
  const percent = /^p(\d{1,2}(\.\d+)?|100)$/.exec(name)?.[1];
  if (percent === undefined) throw new Error(`The statistic ${name} is not supported.`);
  return (points) => points.percentile(Number(percent) / 100);
}
