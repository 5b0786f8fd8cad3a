import { QuantileSketch, sketchRelativeError } from '../../functions/shared/sketches/quantile.ts';
import { bytes, number } from '../report/figures.ts';
import type { Report } from '../report/report.ts';
import { randomOf } from './spans.ts';

const values = 1_000_000;
/** Each value goes into one of these; they are written, read, and merged. */
const sketches = 100;
const quantiles = [0.5, 0.95, 0.99, 0.999] as const;

/** Durations in milliseconds, as they come in practice and as they are hard. */
const distributions: Readonly<Record<string, (random: () => number) => number>> = {
  'log-normal, median 20 ms': (random) =>
    20 * Math.exp(1.2 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())),
  'Pareto, a heavy tail': (random) => 5 / (1 - random()) ** (1 / 1.2),
  'two humps, 2 ms and 800 ms': (random) => (random() < 0.93 ? 2 : 800) * (0.8 + 0.4 * random()),
  'even, 0 to 1 s': (random) => 1_000 * random(),
};

/** Compares the percentiles of merged sketches with the exact ones. */
export function measureSketch({ progress }: { progress: (text: string) => void }): Report {
  const rows = Object.entries(distributions).map(([name, draw]) => {
    progress(`sketches: ${name}`);
    const random = randomOf(7);
    const exact = Float64Array.from({ length: values }, () => draw(random));
    const parts = Array.from({ length: sketches }, () => new QuantileSketch());
    exact.forEach((value, index) => {
      parts[index % sketches]?.add(value);
    });
    const written = parts.map((part) => part.toBytes());
    const merged = new QuantileSketch();
    for (const part of written) merged.merge(QuantileSketch.fromBytes(part));
    exact.sort();
    const errors = quantiles.map((quantile) => {
      const right = exact[Math.ceil(quantile * values) - 1] ?? Number.NaN;
      return Math.abs((merged.quantile(quantile) ?? Number.NaN) / right - 1);
    });
    return { name, errors, size: merged.toBytes().length };
  });
  const worst = Math.max(...rows.flatMap(({ errors }) => errors));
  return {
    title: 'Traces: percentiles from sketches',
    setting: [
      `${values} values in ${sketches} sketches that are written, read and merged; the error of each percentile relative to the exact one, in %.`,
    ],
    columns: [
      { title: 'Durations' },
      ...quantiles.map((quantile) => ({ title: `p${quantile * 100}`, align: 'right' as const })),
      { title: 'merged sketch', align: 'right' },
    ],
    rows: rows.map(({ name, errors, size }) => [
      name,
      ...errors.map((error) => number(error * 100, 2)),
      bytes(size),
    ]),
    findings: [
      `The largest error is ${(worst * 100).toFixed(2)} %; the aim, ${sketchRelativeError * 100} % at most, is ${worst <= sketchRelativeError ? 'met' : 'missed'}.`,
    ],
  };
}
