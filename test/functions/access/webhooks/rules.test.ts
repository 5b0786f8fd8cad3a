import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { filterSchema, matchesAny } from '../../../../functions/access/webhooks/filters.ts';
import { deliveryIdOf, webhookIdSchema } from '../../../../functions/access/webhooks/ids.ts';
import { makeMessage, maximumBodyBytes } from '../../../../functions/access/webhooks/message.ts';
import {
  attemptsPerRun,
  parseRetryAfter,
  retrySeconds,
  secondsUntilNext,
} from '../../../../functions/access/webhooks/retry-schedule.ts';
import { webhookUrlSchema } from '../../../../functions/access/webhooks/url.ts';

const random = fc.double({ min: 0, max: 1, noNaN: true });
const plannedAfter = (attempt: number) => retrySeconds[attempt - 1] ?? Number.NaN;

describe('the schedule of attempts', () => {
  it('has ten attempts over about 75 hours', () => {
    expect(attemptsPerRun).toBe(10);
    const total = retrySeconds.reduce((sum, seconds) => sum + seconds, 0);
    expect(total / 3600).toBeCloseTo(75.58, 1);
  });

  it('varies each wait by a tenth at most, and ends after the last attempt', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: attemptsPerRun - 1 }), random, (attempt, value) => {
        const seconds = secondsUntilNext(attempt, { random: () => value });
        expect(Number.isInteger(seconds)).toBe(true);
        expect(Math.abs((seconds ?? 0) - plannedAfter(attempt))).toBeLessThanOrEqual(
          plannedAfter(attempt) * 0.1 + 0.5,
        );
      }),
    );
    expect(secondsUntilNext(attemptsPerRun, { random: () => 0 })).toBeUndefined();
  });

  it('waits as long as the receiver asks for, but at most twice as long as planned, and never less', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: attemptsPerRun - 1 }),
        fc.nat({ max: 400_000 }),
        random,
        (attempt, retryAfterSeconds, value) => {
          const without = secondsUntilNext(attempt, { random: () => value }) ?? 0;
          const seconds = secondsUntilNext(attempt, { retryAfterSeconds, random: () => value }) ?? 0;
          expect(seconds).toBe(Math.max(without, Math.min(retryAfterSeconds, 2 * plannedAfter(attempt))));
        },
      ),
    );
  });

  it('reads Retry-After as seconds or as a date, and nothing else', () => {
    const now = Date.parse('2026-11-20T10:00:00Z');
    expect(parseRetryAfter('120', now)).toBe(120);
    expect(parseRetryAfter('Fri, 20 Nov 2026 10:01:30 GMT', now)).toBe(90);
    expect(parseRetryAfter('Fri, 20 Nov 2026 09:00:00 GMT', now)).toBe(0);
    for (const header of [undefined, '', 'soon', '-5', '1e3', 'Fri, tomorrow', '99999999999']) {
      expect([header, parseRetryAfter(header, now)]).toEqual([header, undefined]);
    }
  });
});

describe('a filter', () => {
  it.each([
    [['*'], 'backup.completed', true],
    [['backup.completed'], 'backup.completed', true],
    [['backup.completed'], 'backup.completed.twice', false],
    [['backup.*'], 'backup.completed', true],
    [['backup.*'], 'backup', false],
    [['backup.*'], 'backups.completed', false],
    [['key.*', 'restore.failed'], 'restore.failed', true],
    [['key.*', 'restore.failed'], 'restore.completed', false],
    [[], 'backup.completed', false],
  ])('%j lets %s through: %s', (filters, type, expected) => {
    expect(matchesAny(filters, type)).toBe(expected);
  });

  it.each(['', '.', 'backup.', '.completed', 'backup*', '*.completed', 'backup.**', 'Backup.*', 'a b'])(
    'is not %j',
    (filter) => {
      expect(filterSchema.safeParse(filter).success).toBe(false);
    },
  );
});

describe('the URL of an endpoint', () => {
  it.each(['https://example.com/hooks', 'https://example.com:8443/?a=b', 'http://10.0.0.1/'])(
    'may be %s',
    (url) => {
      expect(webhookUrlSchema.safeParse(url).success).toBe(true);
    },
  );

  it.each([
    ['no URL', 'example.com'],
    ['of another scheme', 'ftp://example.com/'],
    ['a file', 'file:///etc/passwd'],
    ['with a user', 'https://user@example.com/'],
    ['with a password', 'https://:secret@example.com/'],
    ['with a fragment', 'https://example.com/#part'],
    ['with an empty fragment', 'https://example.com/#'],
    ['without a host', 'https://'],
    ['too long', `https://example.com/${'a'.repeat(2_048)}`],
  ])('is refused: %s', (_what, url) => {
    expect(webhookUrlSchema.safeParse(url).success).toBe(false);
  });
});

describe('the id of a delivery', () => {
  const webhookId = webhookIdSchema.parse('01K9Z3V5Q0J8X7N2T4R6M1C9HB');

  it('is the same for the same event and endpoint, another for any other, and sorts by the event’s time', () => {
    fc.assert(
      fc.property(
        fc.uuid(),
        fc.uuid(),
        fc.integer({ min: 1, max: 2 ** 47 }),
        fc.integer({ min: 1, max: 1_000_000 }),
        (one, other, at, later) => {
          const id = deliveryIdOf(webhookId, one, at);
          expect(deliveryIdOf(webhookId, one, at)).toBe(id);
          if (one !== other) expect(deliveryIdOf(webhookId, other, at)).not.toBe(id);
          expect(deliveryIdOf(webhookId, other, at + later) > id).toBe(true);
        },
      ),
    );
  });
});

describe('a message', () => {
  const at = '2026-11-20T10:00:00.000Z';

  it('is never larger than its bound, and names what it is about when its data is left out', () => {
    const data = { backupId: 'b-1', tenantId: 'acme', rows: 'x'.repeat(maximumBodyBytes) };
    const { body } = makeMessage('e', 'backup.completed', at, data);
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(maximumBodyBytes);
    expect(JSON.parse(body)).toEqual({
      type: 'backup.completed',
      timestamp: at,
      data: { backupId: 'b-1', tenantId: 'acme', omitted: true, sizeBytes: expect.any(Number) },
    });
  });

  it('holds all of its data up to the bound, to the byte', () => {
    const empty = Buffer.byteLength(makeMessage('e', 'a.b', at, { text: '' }).body);
    const fits = makeMessage('e', 'a.b', at, { text: 'é'.repeat((maximumBodyBytes - empty) / 2) });
    expect(JSON.parse(fits.body).data).not.toHaveProperty('omitted');
    const over = makeMessage('e', 'a.b', at, { text: 'é'.repeat((maximumBodyBytes - empty) / 2 + 1) });
    expect(JSON.parse(over.body).data).toHaveProperty('omitted', true);
  });
});
