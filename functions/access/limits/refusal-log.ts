import type { Refusals } from './refusal-store.ts';

/** The counts of a process are written at most this often, in milliseconds. */
export const flushMs = 10_000;
/** How many counts are kept apart between two writings; further ones of a limit are counted together. */
const mostCounts = 20;

const keyOf = ({ policy, subject, route }: Omit<Refusals, 'count' | 'lastAt'>): string =>
  JSON.stringify([policy, subject, route]);

/**
 * Counts refused requests in memory and writes the counts: the first at once, further ones when 10 s have passed. What a
 * process has not written when it ends is lost: the counts are for people, not for bills.
 */
export class RefusalLog {
  readonly #add: (refusals: Refusals) => Promise<void>;
  readonly #now: () => number;
  #counts = new Map<string, Refusals>();
  #nextFlush = 0;

  constructor(add: (refusals: Refusals) => Promise<void>, now: () => number) {
    this.#add = add;
    this.#now = now;
  }

  /** Counts one refused request. Never throws. */
  async note(policy: string, subject: string, route: string): Promise<void> {
    this.#count({ policy, subject, route, count: 1, lastAt: this.#now() });
    await this.flushDue();
  }

  /** Writes what is counted, when the time has come. Never throws: what was not written is kept for the next time. */
  async flushDue(): Promise<void> {
    const now = this.#now();
    if (this.#counts.size === 0 || now < this.#nextFlush) return;
    this.#nextFlush = now + flushMs;
    const counts = [...this.#counts.values()];
    this.#counts = new Map();
    const written = await Promise.allSettled(counts.map((refusals) => this.#add(refusals)));
    written.forEach((result, index) => {
      const refusals = counts[index];
      if (result.status === 'rejected' && refusals !== undefined) this.#count(refusals);
    });
  }

  #count(refusals: Refusals): void {
    const { policy, count, lastAt } = refusals;
    const known = this.#counts.has(keyOf(refusals)) || this.#counts.size < mostCounts;
    const counted = known ? refusals : { ...refusals, subject: '*', route: '*' };
    const before = this.#counts.get(keyOf(counted));
    this.#counts.set(keyOf(counted), {
      policy,
      subject: counted.subject,
      route: counted.route,
      count: (before?.count ?? 0) + count,
      lastAt: Math.max(before?.lastAt ?? 0, lastAt),
    });
  }
}
