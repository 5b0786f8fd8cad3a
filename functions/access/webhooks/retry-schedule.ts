/** Seconds between the attempts of a delivery: ten attempts over 75 hours and 35 minutes. */
export const retrySeconds = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400] as const;
export const attemptsPerRun = retrySeconds.length + 1;

/** How much a wait is shortened or lengthened at random. */
const jitter = 0.1;

export interface RetryWait {
  /** What the receiver asked for, in seconds. It lengthens the wait, to twice the planned one at most. */
  readonly retryAfterSeconds?: number | undefined;
  /** From 0 to 1. */
  readonly random: () => number;
}

/**
 * Whole seconds until the next attempt.
 *
 * @param attempt the number of the one that failed, from 1.
 * @returns undefined after the last one.
 */
export function secondsUntilNext(
  attempt: number,
  { retryAfterSeconds = 0, random }: RetryWait,
): number | undefined {
  const planned = retrySeconds[attempt - 1];
  if (planned === undefined) return undefined;
  const varied = planned * (1 - jitter + 2 * jitter * random());
  return Math.round(Math.min(Math.max(varied, retryAfterSeconds), 2 * planned));
}

/** Seconds that a `Retry-After` header asks for, given as such or as a date; undefined when it says neither. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  // HTTP-date; Date.parse alone would take a plain number for a year.
  if (!/^[A-Z][a-z]{2}, /.test(text)) return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000));
}
