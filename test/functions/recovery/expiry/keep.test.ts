import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { daysAfter, spanOf, spans } from '../../../../functions/recovery/expiry/calendar.ts';
import { decide, type KeptBackup, type RetentionRule } from '../../../../functions/recovery/expiry/keep.ts';
import { backupIdSchema } from '../../../../functions/recovery/ids.ts';

const now = Date.parse('2026-11-20T12:00:00Z');
const id = (name: string) => backupIdSchema.parse(name);

/** A backup of everything, so many days before now. */
const aged = (days: number, more: Partial<KeptBackup> = {}): KeptBackup => ({
  id: id(`d-${days}`),
  createdAt: daysAfter(now, -days),
  keptBy: 'rule',
  keepUntil: undefined,
  lockedUntil: undefined,
  covers: ['database/shard-a'],
  damaged: false,
  referredToByWork: false,
  restoring: false,
  ...more,
});
const rule = (retentionDays: number, keep: RetentionRule['keep'] = {}): RetentionRule => ({
  retentionDays,
  keep,
});
const reasons = (backups: KeptBackup[], by: RetentionRule | undefined, at = now) =>
  Object.fromEntries(decide(backups, by, at).map((decision) => [decision.id, decision.reasons]));

describe('the rule', () => {
  it('keeps what is recent, and nothing older but the newest', () => {
    expect(reasons([aged(0), aged(29), aged(30), aged(31)], rule(30))).toEqual({
      'd-0': ['recent', 'newest'],
      'd-29': ['recent'],
      'd-30': [],
      'd-31': [],
    });
  });

  it('keeps the newest of each week, month and year for that many of them', () => {
    // 20 November 2026 is a Friday; 16 November a Monday.
    const found = reasons(
      [aged(0), aged(4), aged(5), aged(11), aged(12), aged(19), aged(50), aged(330), aged(700), aged(1_060)],
      rule(1, { weekly: 2, monthly: 1, yearly: 1 }),
    );
    expect(found).toEqual({
      'd-0': ['recent', 'weekly', 'monthly', 'yearly', 'newest'],
      'd-4': [],
      'd-5': ['weekly'],
      'd-11': [],
      'd-12': ['weekly'],
      'd-19': [],
      'd-50': ['monthly'],
      'd-330': ['yearly'],
      'd-700': [],
      'd-1060': [],
    });
  });

  it('breaks no promise: a shorter one counts for new backups, a longer one for all', () => {
    const promised = aged(20, { keepUntil: daysAfter(now, 10) });
    expect(reasons([aged(0), promised], rule(1))['d-20']).toEqual(['recent']);
    expect(reasons([aged(0), aged(40, { keepUntil: daysAfter(now, -10) })], rule(60))['d-40']).toEqual([
      'recent',
    ]);
  });

  it('does not touch what was asked for otherwise', () => {
    const pinned = aged(900, { keptBy: 'request' });
    const brief = aged(2, { keptBy: 'request', keepUntil: daysAfter(now, -1) });
    expect(reasons([aged(0), pinned, brief], rule(30, { weekly: 5 }))).toMatchObject({
      'd-900': ['pinned'],
      'd-2': [],
    });
  });

  it('that is gone lets promises end as they were made', () => {
    const [over, ahead] = [
      aged(31, { keepUntil: daysAfter(now, -1) }),
      aged(29, { keepUntil: daysAfter(now, 1) }),
    ];
    expect(reasons([aged(0, { keepUntil: now }), over, ahead, aged(90)], undefined)).toEqual({
      'd-0': ['newest'],
      'd-29': ['recent'],
      'd-31': [],
      'd-90': ['pinned'],
    });
  });
});

describe('whatever the rule says', () => {
  it('the newest good backup of every shard and component stays, however old', () => {
    const both = aged(400, { covers: ['database/shard-a', 'database/shard-b', 'files'] });
    const found = reasons([aged(300), both, aged(500, { covers: ['configuration'] })], rule(1));
    expect(found).toEqual({ 'd-300': ['newest'], 'd-400': ['newest'], 'd-500': ['newest'] });
  });

  it('a damaged backup is no reason to let an older good one go', () => {
    expect(reasons([aged(40, { damaged: true }), aged(50)], rule(1))).toEqual({
      'd-40': [],
      'd-50': ['newest'],
    });
  });

  it('a backup of less, or a dump made elsewhere, is no reason either', () => {
    const found = reasons(
      [aged(1, { covers: [] }), aged(50), aged(60, { covers: [] })],
      rule(30, { monthly: 9 }),
    );
    expect(found).toEqual({ 'd-1': ['recent'], 'd-50': ['monthly', 'newest'], 'd-60': [] });
  });

  it('locked, referred to by work, read by a restore, and from the future: each keeps', () => {
    const found = reasons(
      [
        aged(0),
        aged(40, { lockedUntil: now + 1 }),
        aged(41, { lockedUntil: now }),
        aged(42, { referredToByWork: true }),
        aged(43, { restoring: true }),
        aged(-1, { keptBy: 'request', keepUntil: 0 }),
      ],
      rule(30),
    );
    expect(found).toMatchObject({
      'd-40': ['locked'],
      'd-41': [],
      'd-42': ['dependents'],
      'd-43': ['restoring'],
      'd--1': ['recent'],
      'd-0': ['recent', 'newest'],
    });
  });
});

describe('calendars', () => {
  it('turn on Monday, the first and New Year, in UTC, also before 1970', () => {
    for (const [span, last, first] of [
      ['weekly', '2026-11-15T23:59:59.999Z', '2026-11-16T00:00:00Z'],
      ['weekly', '1969-12-28T23:59:59.999Z', '1969-12-29T00:00:00Z'],
      ['monthly', '2026-12-31T23:59:59.999Z', '2027-01-01T00:00:00Z'],
      ['yearly', '2026-12-31T23:59:59.999Z', '2027-01-01T00:00:00Z'],
    ] as const) {
      expect(spanOf(span, Date.parse(first)) - spanOf(span, Date.parse(last))).toBe(1);
    }
  });
});

describe('any backups under any rule', () => {
  const day = 86_400_000;
  const times = fc.integer({ min: -800 * day, max: 20 * day }).map((offset) => now + offset);
  const backups = fc
    .array(
      fc.record({
        createdAt: times,
        keptBy: fc.constantFrom('rule', 'rule', 'request' as const),
        keepUntil: fc.option(times, { nil: undefined }),
        lockedUntil: fc.option(times, { nil: undefined, freq: 5 }),
        covers: fc.subarray(['database/a', 'database/b', 'files']),
        damaged: fc.boolean(),
        referredToByWork: fc.constant(false),
        restoring: fc.constant(false),
      }),
      { maxLength: 25 },
    )
    .map((list): KeptBackup[] => list.map((backup, index) => ({ ...backup, id: id(`b-${index}`) })));
  const count = fc.option(fc.integer({ min: 1, max: 30 }), { nil: undefined });
  const rules = fc.option(
    fc.record({
      retentionDays: fc.integer({ min: 1, max: 400 }),
      keep: fc
        .record({ weekly: count, monthly: count, yearly: count })
        .map(({ weekly, monthly, yearly }) => ({
          ...(weekly && { weekly }),
          ...(monthly && { monthly }),
          ...(yearly && { yearly }),
        })),
    }),
    { nil: undefined },
  );
  const gone = (list: KeptBackup[], by: RetentionRule | undefined, at: number) =>
    decide(list, by, at)
      .filter(({ reasons }) => reasons.length === 0)
      .map((decision) => decision.id);

  it('what expires at one time expires at every later one', () => {
    fc.assert(
      fc.property(backups, rules, fc.nat(400 * day), (list, by, later) => {
        const then = new Set(gone(list, by, now + later));
        for (const expired of gone(list, by, now)) expect(then.has(expired)).toBe(true);
      }),
    );
  });

  it('what has expired changes nothing for what is left, and the order in which they are listed does not either', () => {
    fc.assert(
      fc.property(backups, rules, (list, by) => {
        const expired = new Set(gone(list, by, now));
        const left = list.filter((backup) => !expired.has(backup.id));
        expect(gone(left, by, now)).toEqual([]);
        expect(decide([...list].reverse(), by, now)).toEqual(decide(list, by, now));
      }),
    );
  });

  it('nothing goes that was promised, locked, the last of its kind, or the newest of a span that is kept', () => {
    fc.assert(
      fc.property(backups, rules, (list, by) => {
        const expired = new Set(gone(list, by, now));
        const good = list.filter(({ createdAt, damaged }) => createdAt <= now && !damaged);
        for (const backup of list) {
          const {
            keptBy,
            keepUntil = keptBy === 'request' ? Number.POSITIVE_INFINITY : 0,
            lockedUntil = 0,
          } = backup;
          if (now < keepUntil || now < lockedUntil) expect(expired.has(backup.id)).toBe(false);
          if (by !== undefined && keptBy === 'rule' && now < daysAfter(backup.createdAt, by.retentionDays)) {
            expect(expired.has(backup.id)).toBe(false);
          }
        }
        for (const what of ['database/a', 'database/b', 'files']) {
          const covering = good.filter(({ covers }) => covers.includes(what));
          if (covering.length > 0) expect(covering.every((backup) => expired.has(backup.id))).toBe(false);
          for (const span of spans) {
            const byRule = covering.filter(
              ({ keptBy, createdAt }) =>
                keptBy === 'rule' && spanOf(span, now) - spanOf(span, createdAt) <= (by?.keep[span] ?? -1),
            );
            const groups = Map.groupBy(byRule, ({ createdAt }) => spanOf(span, createdAt));
            for (const group of groups.values()) {
              const newest = Math.max(...group.map(({ createdAt }) => createdAt));
              const kept = group.filter((backup) => !expired.has(backup.id));
              expect(kept.some(({ createdAt }) => createdAt === newest)).toBe(true);
            }
          }
        }
      }),
    );
  });
});
