import { Cron } from 'croner';
import { wallClock, zoneOffset } from './time-zone.ts';

interface Field {
  name: string;
  least: number;
  most: number;
  /** Names of values, from `least` on. */
  names?: readonly string[];
}

const minutes: Field = { name: 'minutes', least: 0, most: 59 };
const hours: Field = { name: 'hours', least: 0, most: 23 };
const daysOfMonth: Field = { name: 'day-of-month', least: 1, most: 31 };
const months: Field = {
  name: 'month',
  least: 1,
  most: 12,
  names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
};
const daysOfWeek: Field = {
  name: 'day-of-week',
  least: 1,
  most: 7,
  names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
};
const years: Field = { name: 'year', least: 1970, most: 2199 };

/**
 * The times of an AWS cron expression: minutes, hours, day of month, month, day of week (1 is
 * Sunday), year; with `?`, `L`, `W` and `#`.
 *
 * @returns a function that gives the first time after another, in ms, or undefined when there is none.
 * @throws Error that names the field that is wrong.
 */
export function awsCron(expression: string, zone: string): (after: number) => number | undefined {
  const fields = expression.trim().split(/\s+/);
  const [minute, hour, dayOfMonth, month, dayOfWeek, year] = fields;
  if (
    fields.length !== 6 ||
    minute === undefined ||
    hour === undefined ||
    dayOfMonth === undefined ||
    month === undefined ||
    dayOfWeek === undefined ||
    year === undefined
  ) {
    throw new Error(`cron(${expression}) needs six fields`);
  }
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) {
    throw new Error(`cron(${expression}) needs ? in either day-of-month or day-of-week`);
  }
  const allowedMinutes = valuesOf(minutes, minute);
  const allowedHours = valuesOf(hours, hour);
  const pattern = [
    '0',
    allowedMinutes.join(','),
    allowedHours.join(','),
    dayOfMonthPattern(dayOfMonth),
    valuesOf(months, month).join(','),
    dayOfWeekPattern(dayOfWeek),
    year === '*' ? '*' : valuesOf(years, year).join(','),
  ].join(' ');
  const cron = new Cron(pattern, { timezone: zone, mode: '7-part', paused: true });
  return (after) => {
    let from = after;
    for (;;) {
      const time = cron.nextRun(new Date(from))?.getTime();
      if (time === undefined || time > Date.UTC(2200, 0)) return undefined;
      from = time;
      const wall = wallClock(zone, time);
      // A time that clocks skip is left out, and one that they show twice counts the first time.
      const shown = allowedMinutes.includes(wall.minute) && allowedHours.includes(wall.hour);
      if (shown && !isRepeated(zone, time)) return time;
    }
  };
}

function isRepeated(zone: string, time: number): boolean {
  const now = zoneOffset(zone, time);
  // Clocks are put back by an hour nearly everywhere, by half an hour on Lord Howe Island.
  return [30, 60].some((minutesBack) => {
    const back = minutesBack * 60_000;
    return zoneOffset(zone, time - back) - now === back;
  });
}

function dayOfMonthPattern(text: string): string {
  if (text === '?' || text === '*') return '*';
  if (text === 'L') return 'L';
  const weekday = /^(\d{1,2})W$/.exec(text)?.[1];
  return weekday === undefined ? valuesOf(daysOfMonth, text).join(',') : `${numberOf(daysOfMonth, weekday)}W`;
}

function dayOfWeekPattern(text: string): string {
  if (text === '?' || text === '*') return '*';
  const nth = /^(\w+)#([1-5])$/.exec(text);
  if (nth !== null) return `${numberOf(daysOfWeek, nth[1] ?? '') - 1}#${nth[2]}`;
  const last = /^(\w+)L$/.exec(text)?.[1];
  if (last !== undefined) return `${numberOf(daysOfWeek, last) - 1}#L`;
  return valuesOf(daysOfWeek, text === 'L' ? '7' : text)
    .map((day) => day - 1)
    .join(',');
}

/** All values a field allows, in order. */
function valuesOf(field: Field, text: string): number[] {
  const values = new Set<number>();
  for (const item of text.split(',')) {
    const [range = '', stepText, ...rest] = item.split('/');
    const step = stepText === undefined ? 1 : Number(stepText);
    if (rest.length > 0 || !Number.isInteger(step) || step < 1) throw wrong(field, text);
    const [from, to] = rangeOf(field, range, stepText !== undefined);
    if (from > to) throw wrong(field, text);
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return [...values].sort((a, b) => a - b);
}

function rangeOf(field: Field, text: string, stepped: boolean): [number, number] {
  if (text === '*') return [field.least, field.most];
  const [from = '', to, ...rest] = text.split('-');
  if (rest.length > 0) throw wrong(field, text);
  const first = numberOf(field, from);
  if (to !== undefined) return [first, numberOf(field, to)];
  return [first, stepped ? field.most : first];
}

function numberOf(field: Field, text: string): number {
  const named = field.names?.indexOf(text.toUpperCase()) ?? -1;
  const value = named >= 0 ? named + field.least : /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= field.least && value <= field.most)) throw wrong(field, text);
  return value;
}

function wrong(field: Field, text: string): Error {
  return new Error(`${text} is not valid as ${field.name} of a cron expression`);
}
