import { BoundedMap } from './bounded-map.ts';
import { type CounterStore, CountersUnavailable } from './counter-store.ts';
import type { Limit } from './quota.ts';
import { type Decision, SubjectCounter } from './subject-counter.ts';

/** How many subjects a process remembers; the one that was seen longest ago is forgotten, with its units. */
const mostSubjects = 2_000;
/** A store that did not answer is not asked again for so long, in milliseconds. */
const downMs = 1_000;

interface Entry {
  readonly counter: SubjectCounter;
  /** Ends when nobody asks the store about this subject any more. */
  asking: Promise<unknown>;
}

/** Decides about requests: from the units this process holds, or with a question to the shared counter. */
export class Leases {
  readonly #store: CounterStore;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #entries = new BoundedMap<string, Entry>(mostSubjects);
  #downUntil = 0;

  constructor(store: CounterStore, now: () => number, random: () => number) {
    this.#store = store;
    this.#now = now;
    this.#random = random;
  }

  /**
   * Uses one unit of a subject.
   *
   * @param lenient whether the request goes on while the store is down, within the size of the last lease.
   * @throws CountersUnavailable
   */
  async use(limit: Limit, subject: string, lenient: boolean): Promise<Decision> {
    const entry = this.#entry(limit, subject);
    const known = entry.counter.known(this.#now());
    if (known !== undefined) return known;
    // One question at a time: those who wait share what it brings.
    const turn = entry.asking.then(() => this.#ask(entry.counter, lenient));
    entry.asking = turn.catch(() => {});
    return turn;
  }

  async #ask(counter: SubjectCounter, lenient: boolean): Promise<Decision> {
    const now = this.#now();
    const known = counter.known(now);
    if (known !== undefined) return known;
    try {
      if (now < this.#downUntil)
        throw new CountersUnavailable('The counters of limits did not answer just now');
      return await counter.ask(now);
    } catch (error) {
      if (!(error instanceof CountersUnavailable)) throw error;
      if (now >= this.#downUntil) this.#downUntil = this.#now() + downMs;
      if (lenient && counter.useReserve()) return { admitted: true, left: 0, resetMs: 0, undo: () => {} };
      throw error;
    }
  }

  #entry(limit: Limit, subject: string): Entry {
    return this.#entries.getOrMake(`${limit.name}#${subject}`, () => ({
      counter: new SubjectCounter(limit, subject, this.#store, this.#random),
      asking: Promise.resolve(),
    }));
  }
}
