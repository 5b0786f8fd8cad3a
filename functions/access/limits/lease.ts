import { leaseMs, type Quota } from './quota.ts';

/**
 * Units that this process has taken from a shared counter and uses without asking it again. They are counted as used
 * from the moment they were taken, so idle ones can only make a limit stricter.
 */
export class Lease {
  readonly units: number;
  readonly period: number;
  readonly #until: number;
  #left: number;

  /**
   * @param takenAt when the store was asked, in milliseconds.
   * @param period the counter's period in which they count, which ends at `periodEnds`.
   */
  constructor(quota: Quota, units: number, takenAt: number, period: number, periodEnds: number) {
    this.units = units;
    this.period = period;
    this.#left = units;
    this.#until = Math.min(takenAt + leaseMs(quota), periodEnds);
  }

  /** Uses one unit. @returns false when none is left or they are too old. */
  use(now: number): boolean {
    if (this.#left === 0 || now >= this.#until) return false;
    this.#left -= 1;
    return true;
  }

  /** Uses the unit for which the lease was taken, however long the store took to answer. */
  useFirst(): void {
    this.#left -= 1;
  }

  /** Puts a unit back that was not needed after all. */
  putBack(): void {
    this.#left = Math.min(this.units, this.#left + 1);
  }

  /** Units that nobody has used. */
  get left(): number {
    return this.#left;
  }

  /** How many units to ask for next: twice as many where all were used in time, else as many as were used. */
  next(largest: number): number {
    return this.#left === 0 ? Math.min(2 * this.units, largest) : Math.max(1, this.units - this.#left);
  }
}
