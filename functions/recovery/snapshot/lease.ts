import type { SnapshotStore } from '../catalog/snapshot-store.ts';
import type { Clock } from '../clock.ts';
import { SnapshotLostError } from '../errors.ts';

export interface LeaseTimes {
  /** How long a lease lasts when it is not renewed. */
  readonly leaseMs: number;
  /** How often it is renewed. */
  readonly renewMs: number;
}

export const leaseTimes: LeaseTimes = { leaseMs: 45_000, renewMs: 2_000 };

/** How a lease ends other than by `stop`. */
export type LeaseEnd = 'released' | 'relieved';

/**
 * Renews a holder's lease in the background. Whoever reads the record can tell a holder that works from one that
 * died; a holder that cannot renew in time knows that it counts as dead.
 */
export class Lease {
  /** Set when the holder wants to be relieved; told with the next renewal. */
  handoverWanted = false;
  /** Settles when the snapshot is no longer this holder's to keep; rejects when the lease ran out. */
  readonly ended: Promise<LeaseEnd>;
  readonly #store: SnapshotStore;
  readonly #clock: Clock;
  readonly #times: LeaseTimes;
  readonly #holder: string;
  readonly #isNeeded: () => Promise<boolean>;
  #stopped = false;

  /** @param isNeeded asked with every renewal: whether the backup is still running. */
  constructor(
    store: SnapshotStore,
    holder: string,
    clock: Clock,
    isNeeded: () => Promise<boolean>,
    times: LeaseTimes = leaseTimes,
  ) {
    this.#store = store;
    this.#holder = holder;
    this.#clock = clock;
    this.#isNeeded = isNeeded;
    this.#times = times;
    this.ended = this.#keep();
    this.ended.catch(() => undefined);
  }

  /** No more renewals; what was written stays. */
  stop(): void {
    this.#stopped = true;
  }

  async #keep(): Promise<LeaseEnd> {
    let until = this.#clock.now() + this.#times.leaseMs;
    for (;;) {
      await this.#clock.sleep(this.#times.renewMs);
      if (this.#stopped) return new Promise(() => undefined);
      try {
        if (!(await this.#isNeeded())) await this.#store.release();
        const next = this.#clock.now() + this.#times.leaseMs;
        if (!(await this.#store.renew(this.#holder, next, this.handoverWanted))) return await this.#whyNot();
        until = next;
      } catch (error) {
        if (this.#clock.now() < until) continue;
        throw new SnapshotLostError('The lease on the snapshot could not be renewed in time.', {
          cause: error,
        });
      }
    }
  }

  async #whyNot(): Promise<LeaseEnd> {
    const record = await this.#store.get();
    return record?.state === 'held' ? 'relieved' : 'released';
  }
}
