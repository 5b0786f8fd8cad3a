const dayMs = 86_400_000;

/** Calendar spans of which the newest backup can be kept. */
export const spans = ['weekly', 'monthly', 'yearly'] as const;
export type Span = (typeof spans)[number];

/** The number of the week (from Monday), month or year that an instant lies in, in UTC; the next one has the next number. */
export function spanOf(span: Span, instant: number): number {
  const date = new Date(instant);
  if (span === 'yearly') return date.getUTCFullYear();
  if (span === 'monthly') return date.getUTCFullYear() * 12 + date.getUTCMonth();
  // 1 January 1970 was a Thursday.
  return Math.floor((Math.floor(instant / dayMs) + 3) / 7);
}

/** An instant some days later. Milliseconds since the epoch. */
export const daysAfter = (instant: number, days: number): number => instant + days * dayMs;
