import { awsCron } from './aws-cron.ts';
import { instantOf, zoneOffset } from './time-zone.ts';

/** When something is to happen. All times are milliseconds since the epoch. */
export interface Timetable {
  kind: 'cron' | 'rate' | 'at';
  /** The first time after another; undefined when there is none any more. */
  next(after: number): number | undefined;
}

const unitMs = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/**
 * Reads `cron(…)`, `rate(…)` or `at(…)`.
 *
 * @param anchor where rates begin: they are due every interval after it.
 * @param zone time zone of `cron` and `at`.
 * @throws Error that says what is wrong with the expression.
 */
export function readSchedule(expression: string, anchor: number, zone = 'UTC'): Timetable {
  zoneOffset(zone, anchor);
  const [, kind, content = ''] = /^(cron|rate|at)\((.*)\)$/.exec(expression) ?? [];
  switch (kind) {
    case 'cron':
      return { kind, next: awsCron(content, zone) };
    case 'rate':
      return { kind, next: rate(content, anchor) };
    case 'at':
      return { kind, next: once(content, zone) };
    default:
      throw new Error(`${expression} is not a schedule expression`);
  }
}

function rate(content: string, anchor: number): Timetable['next'] {
  const [, amount = '', unit] = /^([1-9]\d*) (minute|hour|day)(?:s?)$/.exec(content) ?? [];
  const plural = content.endsWith('s');
  if ((unit !== 'minute' && unit !== 'hour' && unit !== 'day') || plural !== (amount !== '1')) {
    throw new Error(`rate(${content}) is not valid: it is like rate(1 hour) or rate(5 minutes)`);
  }
  const interval = Number(amount) * unitMs[unit];
  return (after) => anchor + Math.max(1, Math.floor((after - anchor) / interval) + 1) * interval;
}

function once(content: string, zone: string): Timetable['next'] {
  const wall = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(content) ? Date.parse(`${content}Z`) : Number.NaN;
  if (Number.isNaN(wall)) throw new Error(`at(${content}) is not valid: it is like at(2027-01-31T08:00:00)`);
  const time = instantOf(zone, wall);
  return (after) => (after < time ? time : undefined);
}
