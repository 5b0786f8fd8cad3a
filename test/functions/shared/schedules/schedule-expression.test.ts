import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readSchedule } from '../../../../functions/shared/schedules/schedule-expression.ts';
import { instantOf, wallClock } from '../../../../functions/shared/schedules/time-zone.ts';

const start = Date.parse('2026-11-20T10:00:00Z');

/** The next times of an expression, as ISO 8601 to the minute. */
function times(expression: string, count: number, from: string | number = start, zone = 'UTC'): string[] {
  const after = typeof from === 'string' ? Date.parse(from) : from;
  const schedule = readSchedule(expression, start, zone);
  const found: string[] = [];
  let time: number | undefined = after;
  while (found.length < count) {
    time = schedule.next(time);
    if (time === undefined) break;
    found.push(new Date(time).toISOString().slice(0, 16));
  }
  return found;
}

describe('cron expressions of AWS', () => {
  it.each([
    ['cron(0 2 * * ? *)', ['2026-11-21T02:00', '2026-11-22T02:00']],
    ['cron(15 10 ? * MON-FRI *)', ['2026-11-20T10:15', '2026-11-23T10:15']],
    ['cron(0 9 ? * 2 *)', ['2026-11-23T09:00', '2026-11-30T09:00']],
    ['cron(0 9 ? * 1,SAT *)', ['2026-11-21T09:00', '2026-11-22T09:00']],
    [
      'cron(0/20 12 * * ? *)',
      ['2026-11-20T12:00', '2026-11-20T12:20', '2026-11-20T12:40', '2026-11-21T12:00'],
    ],
    ['cron(5-9/2 12 * * ? *)', ['2026-11-20T12:05', '2026-11-20T12:07', '2026-11-20T12:09']],
    ['cron(0 */6 * * ? *)', ['2026-11-20T12:00', '2026-11-20T18:00', '2026-11-21T00:00']],
    ['cron(0 0 L * ? *)', ['2026-11-30T00:00', '2026-12-31T00:00', '2027-01-31T00:00', '2027-02-28T00:00']],
    [
      'cron(0 0 15W * ? *)',
      [
        '2026-12-15T00:00',
        '2027-01-15T00:00',
        '2027-02-15T00:00',
        '2027-03-15T00:00',
        '2027-04-15T00:00',
        '2027-05-14T00:00',
      ],
    ],
    ['cron(0 8 ? * 6#3 *)', ['2026-12-18T08:00', '2027-01-15T08:00']],
    ['cron(0 8 ? * 6L *)', ['2026-11-27T08:00', '2026-12-25T08:00']],
    ['cron(0 8 ? * FRIL *)', ['2026-11-27T08:00', '2026-12-25T08:00']],
    ['cron(0 8 ? * L *)', ['2026-11-21T08:00', '2026-11-28T08:00']],
    ['cron(0 0 29 FEB ? *)', ['2028-02-29T00:00', '2032-02-29T00:00']],
    ['cron(0 0 1 JAN ? 2027-2028)', ['2027-01-01T00:00', '2028-01-01T00:00']],
    ['cron(0 0 31 12 ? 2025)', []],
  ])('%s is due at %j', (expression, expected) => {
    expect(times(expression, Math.max(1, expected.length))).toEqual(expected);
  });

  it.each([
    'cron(0 2 * * *)',
    'cron(0 2 * * * *)',
    'cron(0 2 ? * ? *)',
    'cron(60 2 * * ? *)',
    'cron(0 24 * * ? *)',
    'cron(0 2 32 * ? *)',
    'cron(0 2 0 * ? *)',
    'cron(0 2 ? * 8 *)',
    'cron(0 2 ? * 0 *)',
    'cron(0 2 ? * MON#6 *)',
    'cron(0 2 ? * FUN *)',
    'cron(0 2 LW * ? *)',
    'cron(5-2 2 * * ? *)',
    'cron(*/0 2 * * ? *)',
    'cron(0 2 * * ? 1969)',
    'cron(1//2 2 * * ? *)',
    'rate(0 minutes)',
    'rate(1 minutes)',
    'rate(5 minute)',
    'rate(5 weeks)',
    'rate(1.5 hours)',
    'at(2026-11-20)',
    'at(2026-13-20T00:00:00)',
    'every day',
  ])('%s is refused', (expression) => {
    expect(() => readSchedule(expression, start)).toThrow(/not valid|needs|is not a schedule/);
  });

  it('leave out times that clocks skip, and take those once that they show twice', () => {
    const zone = 'Europe/Berlin';
    expect(times('cron(30 2 * * ? *)', 3, '2027-03-26T12:00:00Z', zone)).toEqual([
      '2027-03-27T01:30',
      '2027-03-29T00:30',
      '2027-03-30T00:30',
    ]);
    expect(times('cron(30 2 * * ? *)', 3, '2027-10-29T12:00:00Z', zone)).toEqual([
      '2027-10-30T00:30',
      '2027-10-31T00:30',
      '2027-11-01T01:30',
    ]);
  });

  it('agree with a search minute by minute', () => {
    const minute = fc.constantFrom('*', '0', '7/13', '10-20', '5,55');
    const hour = fc.constantFrom('*', '3', '*/5', '22-23');
    const day = fc.constantFrom('* * ?', '13 * ?', '? * 6', '? FEB-MAR MON,WED', '1/9 * ?', '31 * ?');
    const zone = fc.constantFrom('UTC', 'Asia/Kolkata');
    const from = fc.integer({ min: start, max: start + 400 * 86_400_000 });
    fc.assert(
      fc.property(minute, hour, day, zone, from, (m, h, d, tz, after) => {
        const time = readSchedule(`cron(${m} ${h} ${d} *)`, start, tz).next(after) ?? 0;
        expect(time).toBeGreaterThan(after);
        const [dom = '', month = '', dow = ''] = d.split(' ');
        const matches = (instant: number) => {
          const wall = wallClock(tz, instant);
          const weekday = new Date(Date.UTC(wall.year, wall.month - 1, wall.day)).getUTCDay() + 1;
          return (
            allows(m, wall.minute, 59) &&
            allows(h, wall.hour, 23) &&
            allows(dom, wall.day, 31) &&
            allows(month, wall.month, 12) &&
            allows(dow, weekday, 7)
          );
        };
        expect(matches(time)).toBe(true);
        const end = Math.floor(time / 60_000);
        const first = Math.max(Math.floor(after / 60_000) + 1, end - 300);
        const before = Array.from(
          { length: Math.max(0, end - first) },
          (_, index) => (first + index) * 60_000,
        );
        expect(before.filter(matches)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

function allows(field: string, value: number, most: number): boolean {
  const numbers = field
    .replaceAll(/FEB|MON/g, '2')
    .replaceAll('MAR', '3')
    .replaceAll('WED', '4');
  return numbers.split(',').some((item) => {
    const [range = '', step] = item.split('/');
    if (range === '*' || range === '?') return value % Number(step ?? 1) === 0;
    const [from = '', to] = range.split('-');
    const last = to ?? (step === undefined ? from : most);
    return value >= Number(from) && value <= Number(last) && (value - Number(from)) % Number(step ?? 1) === 0;
  });
}

describe('rates', () => {
  it('are due every interval after their beginning', () => {
    expect(times('rate(5 minutes)', 2)).toEqual(['2026-11-20T10:05', '2026-11-20T10:10']);
    expect(times('rate(1 hour)', 1, start - 5 * 3_600_000)).toEqual(['2026-11-20T11:00']);
    expect(times('rate(2 days)', 2, '2026-11-23T00:00:00Z')).toEqual([
      '2026-11-24T10:00',
      '2026-11-26T10:00',
    ]);
    expect(times('rate(1 minute)', 1, start + 59_999)).toEqual(['2026-11-20T10:01']);
  });
});

describe('one-time schedules', () => {
  it('are due once, in their time zone', () => {
    expect(times('at(2026-12-24T18:00:00)', 2, start, 'Europe/Berlin')).toEqual(['2026-12-24T17:00']);
    expect(times('at(2026-11-20T10:00:00)', 1)).toEqual([]);
  });

  it('need a time zone that exists', () => {
    expect(() => readSchedule('at(2026-12-24T18:00:00)', start, 'Mars/Olympus')).toThrow(RangeError);
  });

  it('take the first of two times, and move out of a gap', () => {
    const zone = 'America/New_York';
    expect(new Date(instantOf(zone, Date.UTC(2026, 10, 1, 1, 30))).toISOString()).toBe(
      '2026-11-01T05:30:00.000Z',
    );
    expect(new Date(instantOf(zone, Date.UTC(2026, 2, 8, 2, 30))).toISOString()).toBe(
      '2026-03-08T07:30:00.000Z',
    );
  });
});
