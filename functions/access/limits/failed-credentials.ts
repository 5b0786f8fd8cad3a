import { BoundedMap } from './bounded-map.ts';
import type { CounterStore } from './counter-store.ts';
import type { Limit } from './quota.ts';

/** How many addresses a process remembers. */
const mostAddresses = 2_000;

/**
 * Counts refused credentials by address: each one by itself, in the shared counter. Attempts that are under way at the
 * same moment see the same count, so that as many more may be looked at as were under way.
 */
export class FailedCredentials {
  readonly #store: CounterStore;
  readonly #limit: Limit;
  readonly #now: () => number;
  readonly #blocked = new BoundedMap<string, { until: number }>(mostAddresses);

  constructor(store: CounterStore, limit: Limit, now: () => number) {
    this.#store = store;
    this.#limit = limit;
    this.#now = now;
  }

  /**
   * How long an address has to wait until another credential of it is looked at, in milliseconds; 0 when it need not.
   * An address that has to wait is remembered until then, without a question to the store.
   *
   * @throws CountersUnavailable
   */
  async waitMs(address: string): Promise<number> {
    const now = this.#now();
    const blocked = this.#blocked.getOrMake(address, () => ({ until: 0 }));
    if (blocked.until > now) return blocked.until - now;
    const count = await this.#store.read(this.#limit, this.#key(address));
    const waitMs = count.waitMs(now);
    blocked.until = now + waitMs;
    return waitMs;
  }

  /**
   * Counts one refused credential.
   *
   * @throws CountersUnavailable
   */
  async count(address: string): Promise<void> {
    await this.#store.take({
      quota: this.#limit,
      key: this.#key(address),
      wanted: 1,
      seen: undefined,
      now: this.#now(),
    });
  }

  #key(address: string): string {
    return `${this.#limit.name}#${address}`;
  }
}
