import type { Count } from './count.ts';
import type { CounterStore } from './counter-store.ts';
import { Lease } from './lease.ts';
import { type Limit, largestLease, type Quota, shares } from './quota.ts';

/** Whether a request may go on. */
export type Decision =
  | {
      readonly admitted: true;
      /** Units that are left, as far as this process knows. */
      readonly left: number;
      /** Until a new window begins or the bucket is full, in milliseconds; until a unit is left where none is. */
      readonly resetMs: number;
      /** Puts the unit back: the request was refused for another reason. */
      undo(): void;
    }
  | {
      readonly admitted: false;
      /** Until a unit may be left, in milliseconds. */
      readonly waitMs: number;
    };

/** One item of the counter, as this process knows it. */
interface Part {
  readonly quota: Quota;
  readonly key: string;
  seen: Count | undefined;
  /** It had no unit left, and has none before this time. */
  emptyUntil: number;
}

/** How many items of a counter one request asks at most. */
const mostParts = 3;
/** The shortest and the longest that a used up counter is left alone where it would have a unit earlier. */
const shortestRestMs = 1_000;
const longestRestMs = 8_000;

/** What a process knows about the requests of one subject under one limit. */
export class SubjectCounter {
  readonly #limit: Limit;
  readonly #store: CounterStore;
  readonly #random: () => number;
  readonly #parts: readonly Part[];
  #latest: Part | undefined;
  #lease: Lease | undefined;
  #reserve = 0;
  /** How often in a row no unit was left. */
  #refusals = 0;
  /** The counter is not asked again before this time. */
  #restUntil = 0;

  constructor(limit: Limit, subject: string, store: CounterStore, random: () => number) {
    this.#limit = limit;
    this.#store = store;
    this.#random = random;
    this.#parts = shares(limit).map((quota, index) => ({
      quota,
      key: `${limit.name}#${subject}#${index}`,
      seen: undefined,
      emptyUntil: 0,
    }));
  }

  /** Decides without asking the store, where that can be done. */
  known(now: number): Decision | undefined {
    if (this.#lease?.use(now) === true) return this.#admitted(now);
    return now < this.#restUntil ? { admitted: false, waitMs: this.#restUntil - now } : undefined;
  }

  /**
   * Decides after asking the store.
   *
   * @throws CountersUnavailable
   */
  async ask(now: number): Promise<Decision> {
    for (const part of this.#candidates(now)) {
      if (await this.#takeFrom(part, now)) {
        this.#refusals = 0;
        return this.#admitted(now);
      }
    }
    const restMs = Math.min(shortestRestMs * 2 ** this.#refusals, longestRestMs);
    const emptyMs = Math.min(...this.#parts.map(({ emptyUntil }) => emptyUntil)) - now;
    this.#refusals += 1;
    // Whole seconds, as `Retry-After` has them.
    const waitMs = Math.ceil(Math.max(restMs, emptyMs) / 1000) * 1000;
    this.#restUntil = now + waitMs;
    return { admitted: false, waitMs };
  }

  /** While the store is down, as many requests go on as the last lease had units. @returns false when they are used up. */
  useReserve(): boolean {
    if (this.#reserve === 0) return false;
    this.#reserve -= 1;
    return true;
  }

  async #takeFrom(part: Part, now: number): Promise<boolean> {
    const lease = part === this.#latest ? this.#lease : undefined;
    const { units, count } = await this.#store.take({
      quota: part.quota,
      key: part.key,
      wanted: this.#lease?.next(largestLease(this.#limit)) ?? 1,
      seen: part.seen,
      ...(lease === undefined ? {} : { unused: { units: lease.left, period: lease.period } }),
      now,
    });
    part.seen = count;
    if (units === 0) {
      part.emptyUntil = now + Math.max(shortestRestMs, count.waitMs(now));
      return false;
    }
    this.#latest = part;
    this.#reserve = units;
    this.#lease = new Lease(this.#limit, units, now, count.period(now), count.periodEnds(now));
    this.#lease.useFirst();
    return true;
  }

  /** The item whose units lie idle here, then others in any order: all are used alike. */
  #candidates(now: number): Part[] {
    const idle = this.#lease !== undefined && this.#lease.left > 0 ? this.#latest : undefined;
    const open = this.#parts.filter((part) => part !== idle && part.emptyUntil <= now);
    const others = Array.from({ length: Math.min(mostParts, open.length) }, () =>
      open.splice(Math.floor(this.#random() * open.length), 1),
    ).flat();
    return (idle === undefined ? others : [idle, ...others]).slice(0, mostParts);
  }

  #admitted(now: number): Decision {
    const seen = this.#latest?.seen;
    const lease = this.#lease;
    const room = (seen?.room(now) ?? 0) * this.#parts.length;
    const left = Math.min(this.#limit.requests - 1, room + (lease?.left ?? 0));
    return {
      admitted: true,
      left,
      resetMs: (left > 0 ? seen?.resetMs(now) : seen?.waitMs(now)) ?? 0,
      undo: () => lease?.putBack(),
    };
  }
}
