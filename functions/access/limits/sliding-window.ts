import * as z from 'zod';
import type { Change, Count } from './count.ts';
import type { Quota } from './quota.ts';

const itemSchema = z.object({
  /** Number of the window: its start, divided by its length. */
  period: z.int().min(0),
  /** Units taken in the window before. */
  previous: z.int().min(0),
  /** Units taken in this window. */
  taken: z.int().min(0),
});
type Item = z.output<typeof itemSchema>;

/** Seconds that an item is kept after nothing in it counts any more. */
const keptSeconds = 3_600;

/**
 * A window that moves with time, estimated from two fixed ones: the units of the present window, and those of the one
 * before weighted by how much of it the moving window still covers. With `q` units and a window of `w` it lets at most
 * `q` units through in a fixed window, and at most `q · (1 + t / w)` in any span of `t`.
 */
export class SlidingWindow implements Count {
  readonly #quota: Quota;
  readonly #item: Item | undefined;

  private constructor(quota: Quota, item: Item | undefined) {
    this.#quota = quota;
    this.#item = item;
  }

  /** An item that cannot be read is a counter that nobody has used. */
  static of(quota: Quota, item: unknown): SlidingWindow {
    return new SlidingWindow(quota, itemSchema.safeParse(item).data);
  }

  current(now: number): boolean {
    return this.#item !== undefined && this.#item.period >= this.#periodAt(now);
  }

  period(now: number): number {
    return this.#at(now).period;
  }

  periodEnds(now: number): number {
    return (this.#at(now).period + 1) * this.#quota.windowMs;
  }

  room(now: number): number {
    const { previous, taken, passed } = this.#at(now);
    return Math.max(0, this.#quota.requests - taken - this.#weighted(previous, passed));
  }

  waitMs(now: number): number {
    if (this.room(now) > 0) return 0;
    const { requests, windowMs } = this.#quota;
    const { previous, taken, passed } = this.#at(now);
    if (taken < requests) return Math.max(1, decay(previous, requests - taken - 1, windowMs) - passed);
    return windowMs - passed + decay(taken, requests - 1, windowMs);
  }

  resetMs(now: number): number {
    const { previous, taken, passed } = this.#at(now);
    return previous + taken > 0 ? this.#quota.windowMs - passed : 0;
  }

  taking(now: number, units: number, returned: number): Change {
    const { period, previous, taken, passed } = this.#at(now);
    const added = units - returned;
    const expiresAt = Math.ceil(((period + 2) * this.#quota.windowMs) / 1000) + keptSeconds;
    if (this.#item === undefined) {
      return {
        update: 'SET period = :period, previous = :previous, taken = :taken, expiresAt = :expiresAt',
        condition: 'attribute_not_exists(pk)',
        values: { ':period': period, ':previous': 0, ':taken': added, ':expiresAt': expiresAt },
      };
    }
    if (this.#item.period === period) {
      return {
        update: 'SET taken = taken + :added',
        condition: 'period = :period AND previous = :previous AND taken <= :most',
        values: {
          ':added': added,
          ':period': period,
          ':previous': previous,
          ':most': this.#quota.requests - this.#weighted(previous, passed) - added,
        },
      };
    }
    return {
      update: 'SET period = :period, previous = :previous, taken = :taken, expiresAt = :expiresAt',
      condition: 'period = :seenPeriod AND taken = :seenTaken',
      values: {
        ':period': period,
        ':previous': previous,
        ':taken': taken + added,
        ':expiresAt': expiresAt,
        ':seenPeriod': this.#item.period,
        ':seenTaken': this.#item.taken,
      },
    };
  }

  /** What the item means at this time. A clock that is behind the item's window is taken to be at its start. */
  #at(now: number): Item & { passed: number } {
    const period = this.#periodAt(now);
    const passed = now - period * this.#quota.windowMs;
    const item = this.#item;
    if (item === undefined) return { period, previous: 0, taken: 0, passed };
    if (item.period > period) return { ...item, passed: 0 };
    if (item.period === period) return { ...item, passed };
    return { period, previous: item.period === period - 1 ? item.taken : 0, taken: 0, passed };
  }

  #periodAt(now: number): number {
    return Math.floor(now / this.#quota.windowMs);
  }

  /** The units of the window before that still count, rounded up. */
  #weighted(previous: number, passed: number): number {
    const { windowMs } = this.#quota;
    return Math.ceil((previous * (windowMs - passed)) / windowMs);
  }
}

/** How far into a window the weight of the one before has come down to so many units, in milliseconds. */
function decay(units: number, left: number, windowMs: number): number {
  return units <= left ? 0 : Math.ceil((windowMs * (units - left)) / units);
}
