/** Seconds. */
export const hour = 3_600;
export const day = 86_400;

/**
 * Counting goes by intervals: the hours of the clock, in UTC, of which one ends early and another begins where counting was
 * started anew. An interval is known by the second in which it begins.
 *
 * @param resets when counting was started anew, in Unix seconds, rising.
 */
export function intervalOf(at: number, resets: readonly number[]): { start: number; end: number } {
  let start = Math.floor(at / hour) * hour;
  let end = start + hour;
  for (const reset of resets) {
    if (reset <= at) start = Math.max(start, reset);
    else end = Math.min(end, reset);
  }
  return { start, end };
}

/** The intervals that begin at `from` or later and before `to`, the one that `from` lies in included. */
export function intervalsBetween(from: number, to: number, resets: readonly number[]): number[] {
  const found: number[] = [];
  for (let at = from; at < to; ) {
    const { start, end } = intervalOf(at, resets);
    found.push(start);
    at = end;
  }
  return found;
}

/** Where the day begins that a moment lies in. */
export const dayOf = (at: number): number => Math.floor(at / day) * day;

/** A moment as it is written in keys and answers. */
export const instant = (seconds: number): string => new Date(seconds * 1000).toISOString();
