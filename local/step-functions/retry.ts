import type { Catcher, Retrier } from './definition.ts';
import { errorMatches, type StatesError } from './errors.ts';

/** Counts the attempts of one visit to a state, per `Retry` entry. */
export class Retries {
  readonly #retriers: readonly Retrier[];
  readonly #attempts: number[];
  readonly #random: () => number;
  /** Attempts so far, over all entries: `$$.State.RetryCount`. */
  count = 0;

  /** @param random 0 ≤ x < 1, for full jitter. */
  constructor(retriers: readonly Retrier[], random: () => number) {
    this.#retriers = retriers;
    this.#attempts = retriers.map(() => 0);
    this.#random = random;
  }

  /**
   * How long to wait, in ms, before the state is tried again; undefined when it is not to be. The
   * first entry that names the error decides.
   */
  delayAfter(failure: StatesError): number | undefined {
    const index = this.#retriers.findIndex(({ ErrorEquals }) => errorMatches(ErrorEquals, failure.error));
    const retrier = this.#retriers[index];
    const attempts = this.#attempts[index];
    if (retrier === undefined || attempts === undefined || attempts >= retrier.MaxAttempts) return undefined;
    this.#attempts[index] = attempts + 1;
    this.count += 1;
    const backoff = retrier.IntervalSeconds * retrier.BackoffRate ** attempts;
    const seconds = Math.min(backoff, retrier.MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
    return seconds * 1000 * (retrier.JitterStrategy === 'FULL' ? this.#random() : 1);
  }
}

/** The `Catch` entry for an error, if any. */
export function catcherOf(catchers: readonly Catcher[], failure: StatesError): Catcher | undefined {
  return catchers.find(({ ErrorEquals }) => errorMatches(ErrorEquals, failure.error));
}
