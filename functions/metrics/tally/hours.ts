export const hourMs = 3_600_000;

/** The hour that a moment lies in, as it stands in keys: `2026-01-31T14`. */
export const hourOf = (ms: number): string => new Date(ms).toISOString().slice(0, 13);

/** When an hour begins, in ms since 1970. */
export const startOf = (hour: string): number => Date.parse(`${hour}:00:00Z`);

/** The hour after. */
export const nextHour = (hour: string): string => hourOf(startOf(hour) + hourMs);

/** The hours from one to another, both included; none when the second lies before the first. */
export function hoursBetween(first: string, last: string): string[] {
  const hours: string[] = [];
  for (let hour = first; hour <= last; hour = nextHour(hour)) hours.push(hour);
  return hours;
}
