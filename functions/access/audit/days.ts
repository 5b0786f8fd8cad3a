/** How many chains a day has. Functions that run at the same time seldom meet in one. */
export const laneCount = 8;
export const lanes: readonly number[] = Array.from({ length: laneCount }, (_, lane) => lane);

export const dayMs = 24 * 60 * 60 * 1_000;

/** The day of a moment in UTC, `YYYY-MM-DD`. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** The day that is so many days after another; before it, where `days` is negative. */
export const dayAfter = (day: string, days = 1): string => dayOf(Date.parse(day) + days * dayMs);

/** When everything of a day is removed, in Unix seconds: all of a chain at once, so that none ever has a gap. */
export const expiryOf = (day: string, retentionDays: number): number =>
  Date.parse(dayAfter(day, retentionDays + 1)) / 1_000;
