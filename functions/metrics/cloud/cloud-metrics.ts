import type { Logger } from '@aws-lambda-powertools/logger';
import { KeptAnswer } from '../../shared/kept-answer.ts';
import type { CloudReading, CloudStore } from './cloud-store.ts';
import { freshSeries } from './families.ts';

/** How long a reading serves, and how often it is noted that somebody asks, in ms. */
const keptMs = 10_000;
const notedMs = 600_000;

/** What was read of CloudWatch, for those who ask; that they do is noted, so that more is read. */
export class CloudMetrics {
  readonly #reading: KeptAnswer<CloudReading>;
  readonly #note: KeptAnswer<void>;
  readonly #now: () => number;

  constructor(store: Pick<CloudStore, 'read' | 'ask'>, now: () => number) {
    this.#now = now;
    this.#reading = new KeptAnswer(() => store.read(), keptMs, now);
    this.#note = new KeptAnswer(() => store.ask(now()), notedMs, now);
  }

  /** How often the kept reading served. */
  get uses(): KeptAnswer<CloudReading>['uses'] {
    return this.#reading.uses;
  }

  /**
   * The series that mean something now, and up to when CloudWatch was read; 0 for never.
   *
   * @throws DependencyError when the table does not answer. That a question could not be noted is only logged.
   */
  async get(log: Pick<Logger, 'warn'>): Promise<Pick<CloudReading, 'upTo' | 'series'>> {
    const [{ upTo, series }] = await Promise.all([
      this.#reading.get(),
      this.#note
        .get()
        .catch((error: unknown) =>
          log.warn('It could not be noted that somebody asks for metrics', { error }),
        ),
    ]);
    return { upTo, series: freshSeries(series, this.#now()) };
  }
}
