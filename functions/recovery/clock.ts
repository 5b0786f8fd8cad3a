import { setTimeout as delay } from 'node:timers/promises';

/** Time, as an argument: tests bring their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  sleep(ms: number): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms) => {
    await delay(ms);
  },
};

/** RFC 3339 in UTC, as the API and the catalogue write times. */
export const isoTime = (ms: number): string => new Date(ms).toISOString();
