import type { Refusals } from './refusal-store.ts';

type ReadHour = (hour: number) => Promise<{ refusals: Refusals[]; complete: boolean }>;

/** How many hours are read at the same time. */
const atOnce = 8;

/**
 * Adds up the counts of hours, by limit, subject and route.
 *
 * @param lastHour number of the latest hour since the Unix epoch.
 * @returns the totals, the most refused first, and whether every count was read.
 */
export async function mostRefused(
  read: ReadHour,
  lastHour: number,
  hours: number,
): Promise<{ totals: Refusals[]; complete: boolean }> {
  const totals = new Map<string, Refusals>();
  let complete = true;
  for (let first = 0; first < hours; first += atOnce) {
    const length = Math.min(atOnce, hours - first);
    const counted = await Promise.all(Array.from({ length }, (_, index) => read(lastHour - first - index)));
    complete &&= counted.every((hour) => hour.complete);
    for (const refusals of counted.flatMap((hour) => hour.refusals)) {
      const key = keyOf(refusals);
      const before = totals.get(key);
      totals.set(key, {
        ...refusals,
        count: refusals.count + (before?.count ?? 0),
        lastAt: Math.max(refusals.lastAt, before?.lastAt ?? 0),
      });
    }
  }
  return { totals: [...totals.values()].sort(moreRefused), complete };
}

const keyOf = ({ policy, subject, route }: Refusals): string => JSON.stringify([policy, subject, route]);

/** The order has to be the same for every page. */
const moreRefused = (a: Refusals, b: Refusals): number => b.count - a.count || (keyOf(a) < keyOf(b) ? -1 : 1);
