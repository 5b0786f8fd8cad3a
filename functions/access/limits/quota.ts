import type { Algorithm } from '../policy.ts';

/** How many units may be used within a window, and how they are counted. */
export interface Quota {
  /** At least 1. */
  readonly requests: number;
  /** Milliseconds, at least 1 000. */
  readonly windowMs: number;
  readonly algorithm: Algorithm;
}

/** A quota under the name by which callers and statistics know it. */
export interface Limit extends Quota {
  /** Unique within a policy. */
  readonly name: string;
}

/** From so many requests a window a counter is spread over several items, each with so much of the quota at most. */
const spreadFrom = 10_000;
const requestsPerItem = 5_000;
/** Takings a second that one item is given at most, were every unit taken by itself. DynamoDB writes an item 1 000 times. */
const takingsPerSecond = 250;
const mostItems = 64;

/** Longest time that units taken from the shared counter wait in a process, in milliseconds. */
const longestLeaseMs = 10_000;

/** The quotas of the items of a counter: together exactly the quota, none more than one greater than another. */
export function shares(quota: Quota): Quota[] {
  const { requests, windowMs } = quota;
  const bySize = requests < spreadFrom ? 1 : Math.ceil(requests / requestsPerItem);
  const byRate = Math.ceil(requests / (windowMs / 1000) / takingsPerSecond);
  const items = Math.min(mostItems, Math.max(bySize, byRate));
  if (items === 1) return [quota];
  return Array.from({ length: items }, (_, index) => ({
    ...quota,
    requests: Math.floor((requests + index) / items),
  }));
}

/** The most units that a process holds at once: a fiftieth of the quota, at least one. */
export const largestLease = ({ requests }: Quota): number => Math.max(1, Math.floor(requests / 50));

/** How long units may wait in a process: a sixth of the window, at most 10 s. */
export const leaseMs = ({ windowMs }: Quota): number => Math.min(longestLeaseMs, Math.floor(windowMs / 6));
