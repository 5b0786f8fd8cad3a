import { invalidRequest } from '../../shared/http-request.ts';
import type { Unit } from './analytics-table.ts';
import { day, dayOf, hour, intervalOf, intervalsBetween } from './intervals.ts';

/** Steps of a series. */
export const granularities = ['hour', 'day'] as const;
export type Granularity = (typeof granularities)[number];

/** How many days may be asked about at once: in steps of an hour, and otherwise. */
export const mostDays = { hour: 8, day: 92 } as const;

export interface RangeQuery {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly granularity?: Granularity | undefined;
}

/** What is asked about, in Unix seconds: whole intervals. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * The time that is asked about: the last 24 hours where nothing is said, but nothing of before counting was last started anew.
 *
 * @param resets when it was started anew, in Unix seconds, rising.
 * @throws Problem 400 naming the field
 */
export function rangeOf(query: RangeQuery, resets: readonly number[], now: Date): Range {
  // Counting may just have been started anew, with the next full second.
  const present = Math.max(now.getTime() / 1000, (resets.at(-1) ?? 0) + 1);
  const to = query.to === undefined ? present : Date.parse(query.to) / 1000;
  const latest = resets.findLast((at) => at <= to) ?? 0;
  const asked = query.from === undefined ? Math.max(latest, to - day) : Date.parse(query.from) / 1000;
  if (asked >= to) throw refused('is not before the end of the time that is asked about');
  const most = mostDays[query.granularity ?? 'day'];
  if (to - asked > most * day) throw refused(`is more than ${most} days before the end`);
  return { from: intervalOf(asked, resets).start, to };
}

/** What is to be read for a range: whole days where they are over and long past, and intervals elsewhere. */
export function unitsOf({ from, to }: Range, resets: readonly number[], byHour: boolean): Unit[][] {
  const units: Unit[][] = [];
  const intervals = (start: number, end: number) =>
    intervalsBetween(start, end, resets).map((each): Unit => ({ kind: 'interval', start: each }));
  for (let at = from; at < to; ) {
    const end = Math.min(byHour ? Math.floor(at / hour) * hour + hour : dayOf(at) + day, to);
    const whole = !byHour && at === dayOf(at) && end === at + day;
    units.push(whole ? [{ kind: 'day', start: at }] : intervals(at, end));
    at = end;
  }
  return units;
}

const refused = (message: string) => invalidRequest([{ field: 'query.from', message }]);
