import { ProviderThrottledError } from './errors.ts';

export interface PaceLimits {
  readonly perSecond: number;
  /** How many requests may be sent at once after a pause. */
  readonly burst: number;
}

/** Keeps the requests of one execution environment within the rate that a provider allows: a token bucket. */
export class Pace {
  readonly #limits: PaceLimits;
  readonly #now: () => number;
  #tokens: number;
  #at: number;

  constructor(limits: PaceLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    this.#tokens = limits.burst;
    this.#at = now();
  }

  /** Counts one request. @throws ProviderThrottledError when it has to wait. */
  take(): void {
    const { perSecond, burst } = this.#limits;
    const now = this.#now();
    this.#tokens = Math.min(burst, this.#tokens + (Math.max(0, now - this.#at) / 1000) * perSecond);
    this.#at = now;
    if (this.#tokens < 1) {
      const waitMs = Math.ceil(((1 - this.#tokens) / perSecond) * 1000);
      throw new ProviderThrottledError('The plan allows no more requests for the moment.', waitMs);
    }
    this.#tokens -= 1;
  }
}
