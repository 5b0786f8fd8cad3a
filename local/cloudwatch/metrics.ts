import type { Clock } from '../scheduler/clock.ts';
import type { Distribution } from './distribution.ts';
import { parseEmf } from './emf.ts';
import type { MetricDatum } from './metric.ts';
import { MetricJournal } from './metric-journal.ts';
import { type MetricIdentity, MetricSeries } from './metric-series.ts';

const flushEveryMs = 1000;
/** What CloudWatch does not take: values more than two weeks old or two hours ahead. */
const oldestMs = 14 * 86_400_000;
const aheadMs = 2 * 3_600_000;

export interface MetricsOptions {
  /** Where values are kept. */
  directory: string;
  clock: Clock;
  /** Metrics kept; the one written least recently goes first. Default 2000. */
  keptMetrics?: number;
  report?(line: string): void;
}

/** Values of metrics, aggregated by period; kept over restarts up to the last second. */
export class Metrics {
  readonly #clock: Clock;
  readonly #kept: number;
  readonly #report: (line: string) => void;
  readonly #journal: MetricJournal;
  /** In the order of their last write. */
  readonly #series = new Map<string, MetricSeries>();
  #cancelFlush: (() => void) | undefined;

  constructor({ directory, clock, keptMetrics = 2000, report = () => undefined }: MetricsOptions) {
    this.#report = report;
    this.#clock = clock;
    this.#kept = keptMetrics;
    this.#journal = new MetricJournal(directory);
  }

  async start(): Promise<void> {
    const { series, since } = await this.#journal.load();
    for (const each of series) this.#series.set(keyOf(each.identity), each);
    for (const datum of since) this.#apply(datum);
  }

  async stop(): Promise<void> {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    await this.#flush();
  }

  /** Takes the metrics of a function's log line, if it has any. */
  ingestLogLine(_functionName: string, line: string): void {
    for (const datum of parseEmf(line)) this.record(datum);
  }

  /** @returns whether the values were taken: finite ones of about now are. */
  record(datum: MetricDatum): boolean {
    const age = this.#clock.now() - datum.timestamp;
    if (age > oldestMs || age < -aheadMs || !datum.values.every(Number.isFinite)) return false;
    this.#apply(datum);
    this.#journal.append(datum);
    this.#scheduleFlush();
    return true;
  }

  /**
   * The values of a metric in periods one after the other.
   *
   * @param start of the first period, in seconds since the epoch.
   */
  periods(
    identity: MetricIdentity,
    start: number,
    periodSeconds: number,
    count: number,
  ): (Distribution | undefined)[] {
    const series = this.#series.get(keyOf(identity));
    return (
      series?.periods(start, periodSeconds, count, this.#clock.now() / 1000) ??
      Array.from({ length: count }, () => undefined)
    );
  }

  /** The unit a metric was last reported in. */
  unitOf(identity: MetricIdentity): string {
    return this.#series.get(keyOf(identity))?.unit ?? 'None';
  }

  /** Metrics with a value in the last two weeks. */
  list(): MetricIdentity[] {
    const since = (this.#clock.now() - oldestMs) / 1000;
    return [...this.#series.values()]
      .filter((series) => series.hasSince(since))
      .map(({ identity }) => identity);
  }

  #apply(datum: MetricDatum): void {
    const key = keyOf(datum);
    const series = this.#series.get(key) ?? new MetricSeries(datum);
    this.#series.delete(key);
    this.#series.set(key, series);
    series.record(datum);
    if (this.#series.size <= this.#kept) return;
    const [oldest] = this.#series.keys();
    if (oldest !== undefined) this.#series.delete(oldest);
  }

  #scheduleFlush(): void {
    this.#cancelFlush ??= this.#clock.at(this.#clock.now() + flushEveryMs, () => {
      this.#cancelFlush = undefined;
      void this.#flush().catch((error) => this.#report(`Metrics could not be saved: ${error}`));
    });
  }

  #flush(): Promise<void> {
    return this.#journal.flush(() => {
      const now = this.#clock.now() / 1000;
      for (const [key, series] of this.#series) if (series.prune(now) === 0) this.#series.delete(key);
      return this.#series.values();
    });
  }
}

function keyOf({ namespace, name, dimensions }: MetricIdentity): string {
  return JSON.stringify([namespace, name, Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1))]);
}
