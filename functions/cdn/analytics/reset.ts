import { Problem } from '../../shared/problem.ts';
import type { AnalyticsTable } from './analytics-table.ts';
import { day } from './intervals.ts';
import type { Retention } from './retention.ts';

/** Each of them cuts an hour in two. Beyond that many, none is taken until the oldest have been forgotten. */
const mostResets = 1_000;
const attempts = 5;

/**
 * Starts counting anew with the next full second: what was logged until then lies in an interval of its own.
 *
 * @returns when that is, in Unix seconds.
 * @throws Problem 409 when others do the same at the same time, again and again, or it was done too often
 */
export async function resetCounting(
  table: AnalyticsTable,
  { hourlyDays }: Pick<Retention, 'hourlyDays'>,
  now: Date,
): Promise<number> {
  const at = Math.ceil(now.getTime() / 1000);
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const { at: before, version } = await table.resets();
    if (before.includes(at)) return at;
    // Hours that are no longer kept need not be known; the latest says since when is counted.
    const kept = before.filter((each) => each > at - (hourlyDays + 2) * day);
    if (kept.length >= mostResets) {
      throw new Problem('conflict', `Counting was started anew ${mostResets} times in ${hourlyDays} days.`);
    }
    const resets = [...kept, at].sort((one, other) => one - other);
    if (await table.putResets(resets, version + 1)) return at;
  }
  throw new Problem('conflict', 'Counting is being started anew by somebody else.');
}
