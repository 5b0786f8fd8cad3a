import type { Throttle } from './definition.ts';

/** Lets requests through at a rate, and as many at once as fit into a burst. */
export class TokenBucket {
  readonly #throttle: Throttle;
  readonly #now: () => number;
  #tokens: number;
  #filledAtMs: number;

  /** @param now a clock in ms. */
  constructor(throttle: Throttle, now: () => number = () => performance.now()) {
    this.#throttle = throttle;
    this.#now = now;
    this.#tokens = throttle.burstLimit;
    this.#filledAtMs = now();
  }

  /** Takes a token; false when there is none. */
  take(): boolean {
    const now = this.#now();
    const gained = ((now - this.#filledAtMs) / 1000) * this.#throttle.rateLimit;
    this.#tokens = Math.min(this.#throttle.burstLimit, this.#tokens + gained);
    this.#filledAtMs = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
