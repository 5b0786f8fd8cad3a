import { setTimeout as delay } from 'node:timers/promises';

/** Time, as an argument: tests bring their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after that time, or at once when `signal` is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, { ...(signal && { signal }) }).catch(() => undefined);
  },
};

/** RFC 3339 in UTC, as the API and the catalogue write times. */
export const isoTime = (ms: number): string => new Date(ms).toISOString();
