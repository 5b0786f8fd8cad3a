/**
 * Asks at most once in a while, and once for all who ask at the same time; a failure is not kept.
 *
 * @param forMs how long an answer serves, in ms.
 */
export class KeptAnswer<T> {
  readonly #ask: () => Promise<T>;
  readonly #forMs: number;
  readonly #now: () => number;
  #kept: { answer: Promise<T>; until: number } | undefined;
  /** How often a kept answer served, and how often it was asked. */
  readonly uses = { hits: 0, misses: 0 };

  constructor(ask: () => Promise<T>, forMs: number, now: () => number = Date.now) {
    this.#ask = ask;
    this.#forMs = forMs;
    this.#now = now;
  }

  get(): Promise<T> {
    const serves = this.#kept !== undefined && this.#kept.until > this.#now();
    this.uses[serves ? 'hits' : 'misses'] += 1;
    if (this.#kept === undefined || !serves) {
      const answer = this.#ask();
      const kept = { answer, until: this.#now() + this.#forMs };
      this.#kept = kept;
      answer.catch(() => {
        if (this.#kept === kept) this.#kept = undefined;
      });
    }
    return this.#kept.answer;
  }
}
