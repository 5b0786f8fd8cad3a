import type { Quota } from './quota.ts';
import { SlidingWindow } from './sliding-window.ts';
import { TokenBucket } from './token-bucket.ts';

/** A conditional update of a counter's item, in DynamoDB's expressions; every name in them stands for itself. */
export interface Change {
  readonly update: string;
  readonly condition: string;
  readonly values: Readonly<Record<string, number>>;
}

/**
 * What a counter's item said when it was last seen. Immutable. All times are milliseconds of the Unix epoch by the
 * clock of whoever asks.
 */
export interface Count {
  /** Whether units can be taken without reading the item first. */
  current(now: number): boolean;
  /** Names the span in which units that were taken are good: given back in another one they would count twice. */
  period(now: number): number;
  /** When units end that are taken now. */
  periodEnds(now: number): number;
  /** How many units are left: 0 or more. */
  room(now: number): number;
  /** How long until a unit is left, in milliseconds; 0 when one is. */
  waitMs(now: number): number;
  /** How long until a new window begins or the bucket is full, in milliseconds; 0 when the whole quota is left. */
  resetMs(now: number): number;
  /**
   * Takes units, and gives back unused ones of the same period in the same step. The item refuses it when another
   * process has been faster and the units are no longer left.
   *
   * @param units at most the quota, and `room(now) + returned`.
   */
  taking(now: number, units: number, returned: number): Change;
}

/**
 * Reads a counter's item.
 *
 * @param item its attributes; undefined when there is none.
 */
export function countOf(quota: Quota, item: unknown): Count {
  return quota.algorithm === 'token-bucket' ? TokenBucket.of(quota, item) : SlidingWindow.of(quota, item);
}
