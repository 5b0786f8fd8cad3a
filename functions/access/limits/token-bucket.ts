import * as z from 'zod';
import type { Change, Count } from './count.ts';
import type { Quota } from './quota.ts';

const itemSchema = z.object({
  /** Theoretical arrival time: when the bucket is full again, in microseconds of the Unix epoch. */
  fullAt: z.int().min(0),
});

/** Seconds that an item is kept after the bucket is full. */
const keptSeconds = 3_600;
const ceilSeconds = (ms: number) => Math.ceil(ms / 1000);

/**
 * A bucket of `q` units that refills steadily within a window `w`, as the generic cell rate algorithm: one number, the
 * time at which the bucket is full again. It lets at most `q · (1 + t / w)` units through in any span of `t`. Prices are
 * whole microseconds, rounded up; the bucket is larger by what that adds up to, and by half a unit at most, so that
 * all of its units can be taken at once.
 */
export class TokenBucket implements Count {
  readonly #requests: number;
  readonly #windowUs: number;
  readonly #capacityUs: number;
  readonly #fullAt: number | undefined;

  private constructor(quota: Quota, fullAt: number | undefined) {
    this.#requests = quota.requests;
    this.#windowUs = quota.windowMs * 1000;
    this.#capacityUs = this.#windowUs + Math.min(this.#requests, Math.floor(this.#price(1) / 2));
    this.#fullAt = fullAt;
  }

  /** An item that cannot be read is a full bucket. */
  static of(quota: Quota, item: unknown): TokenBucket {
    return new TokenBucket(quota, itemSchema.safeParse(item).data?.fullAt);
  }

  current(): boolean {
    return this.#fullAt !== undefined;
  }

  period(): number {
    return 0;
  }

  periodEnds(): number {
    return Number.MAX_SAFE_INTEGER;
  }

  room(now: number): number {
    const free = Math.max(0, this.#capacityUs - this.#missing(now));
    const units = Math.min(this.#requests, Math.floor((free * this.#requests) / this.#windowUs));
    return units > 0 && this.#price(units) > free ? units - 1 : units;
  }

  waitMs(now: number): number {
    return Math.max(0, Math.ceil((this.#missing(now) + this.#price(1) - this.#capacityUs) / 1000));
  }

  resetMs(now: number): number {
    return Math.ceil(this.#missing(now) / 1000);
  }

  taking(now: number, units: number, returned: number): Change {
    const nowUs = now * 1000;
    // Giving back more than is missing would let the bucket hold more than it is large.
    const idleBefore = nowUs + this.#price(returned);
    const ends = { ':expiresAt': ceilSeconds(now + this.#windowUs / 1000) + keptSeconds };
    if (this.#fullAt === undefined || this.#fullAt < idleBefore) {
      return {
        update: 'SET fullAt = :fullAt, expiresAt = :expiresAt',
        condition: 'attribute_not_exists(pk) OR fullAt < :idleBefore',
        values: { ':fullAt': nowUs + this.#price(units), ':idleBefore': idleBefore, ...ends },
      };
    }
    const added = this.#price(units) - this.#price(returned);
    return {
      update: 'SET fullAt = fullAt + :added, expiresAt = :expiresAt',
      condition: 'fullAt >= :idleBefore AND fullAt <= :most',
      values: {
        ':added': added,
        ':idleBefore': idleBefore,
        ':most': nowUs + this.#capacityUs - added,
        ...ends,
      },
    };
  }

  /** How far the bucket is from full, in microseconds of refilling. */
  #missing(now: number): number {
    return Math.max(0, (this.#fullAt ?? 0) - now * 1000);
  }

  /** What units cost, in microseconds of refilling. */
  #price(units: number): number {
    return Math.ceil((units * this.#windowUs) / this.#requests);
  }
}
