import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { countOf } from '../../../../functions/access/limits/count.ts';
import { largestLease, leaseMs, shares } from '../../../../functions/access/limits/quota.ts';
import { midnight } from './samples.ts';

const requestsArbitrary = fc.integer({ min: 1, max: 15_000 });
const windowArbitrary = fc.integer({ min: 1, max: 86_400 }).map((seconds) => seconds * 1000);

describe('a sliding window', () => {
  const counts = fc
    .record({
      requests: requestsArbitrary,
      windowMs: windowArbitrary,
      passed: fc.double({ min: 0, max: 0.999, noNaN: true }),
      previous: fc.double({ min: 0, max: 1, noNaN: true }),
      taken: fc.double({ min: 0, max: 1, noNaN: true }),
      age: fc.integer({ min: 0, max: 3 }),
    })
    .map(({ requests, windowMs, passed, previous, taken, age }) => {
      const period = Math.floor(midnight / windowMs);
      const item = {
        period: period - age,
        previous: Math.round(previous * requests),
        taken: Math.round(taken * requests),
      };
      const quota = { requests, windowMs, algorithm: 'sliding-window' } as const;
      return { count: countOf(quota, item), now: Math.floor((period + passed) * windowMs), quota, item };
    });

  it('has a unit when its wait is over, and none a millisecond earlier', () => {
    fc.assert(
      fc.property(counts, ({ count, now }) => {
        const waitMs = count.waitMs(now);
        expect(count.room(now + waitMs)).toBeGreaterThan(0);
        if (waitMs > 0) expect(count.room(now + waitMs - 1)).toBe(0);
      }),
    );
  });

  it('begins anew when it is reset, and has all units a window later', () => {
    fc.assert(
      fc.property(counts, ({ count, now, quota }) => {
        const reset = now + count.resetMs(now);
        expect(count.room(reset)).toBeGreaterThanOrEqual(count.room(now));
        expect(count.room(reset + quota.windowMs)).toBe(quota.requests);
      }),
    );
  });

  it('weighs the window before by what the moving window covers of it', () => {
    const quota = { requests: 100, windowMs: 60_000, algorithm: 'sliding-window' } as const;
    const count = countOf(quota, { period: midnight / 60_000, previous: 80, taken: 10 });
    expect(count.room(midnight)).toBe(10);
    expect(count.room(midnight + 30_000)).toBe(50);
    expect(count.room(midnight + 60_000)).toBe(90);
    expect(count.room(midnight + 120_000)).toBe(100);
  });

  it('does not move back for a clock that is behind', () => {
    const quota = { requests: 100, windowMs: 60_000, algorithm: 'sliding-window' } as const;
    const count = countOf(quota, { period: midnight / 60_000, previous: 80, taken: 10 });
    expect(count.room(midnight - 5_000)).toBe(10);
    expect(count.period(midnight - 5_000)).toBe(midnight / 60_000);
  });
});

describe('a token bucket', () => {
  const counts = fc
    .record({
      requests: requestsArbitrary,
      windowMs: windowArbitrary,
      missing: fc.double({ min: -1, max: 1, noNaN: true }),
    })
    .map(({ requests, windowMs, missing }) => {
      const fullAt = midnight * 1000 + Math.round(missing * windowMs * 1000);
      const quota = { requests, windowMs, algorithm: 'token-bucket' } as const;
      return { count: countOf(quota, { fullAt }), quota };
    });

  it('has a unit when its wait is over, and none a millisecond earlier', () => {
    fc.assert(
      fc.property(counts, ({ count }) => {
        const waitMs = count.waitMs(midnight);
        expect(count.room(midnight + waitMs)).toBeGreaterThan(0);
        if (waitMs > 0) expect(count.room(midnight + waitMs - 1)).toBe(0);
      }),
    );
  });

  it('has all units when it is reset', () => {
    fc.assert(
      fc.property(counts, ({ count, quota }) => {
        expect(count.room(midnight + count.resetMs(midnight))).toBe(quota.requests);
      }),
    );
  });

  it('refills steadily', () => {
    const quota = { requests: 60, windowMs: 60_000, algorithm: 'token-bucket' } as const;
    const empty = countOf(quota, { fullAt: (midnight + 60_000) * 1000 });
    expect([0, 999, 1_000, 30_000, 90_000].map((ms) => empty.room(midnight + ms))).toEqual([0, 0, 1, 30, 60]);
  });
});

describe('a quota', () => {
  it('of many requests in a short time is shared out as well', () => {
    const itemsOf = (requests: number, windowMs: number) =>
      shares({ requests, windowMs, algorithm: 'token-bucket' }).length;
    expect([itemsOf(250, 1_000), itemsOf(251, 1_000), itemsOf(9_999, 1_000)]).toEqual([1, 2, 40]);
    expect([itemsOf(50_000, 60_000), itemsOf(1_000_000, 1_000)]).toEqual([10, 64]);
  });

  it('is shared out completely, from 10 000 requests a minute on', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (requests) => {
        const parts = shares({ requests, windowMs: 60_000, algorithm: 'sliding-window' });
        expect(parts.reduce((sum, part) => sum + part.requests, 0)).toBe(requests);
        expect(parts.length > 1).toBe(requests >= 10_000);
        expect(parts.length).toBeLessThanOrEqual(64);
      }),
    );
  });

  it('has leases of at most a fiftieth, for at most a sixth of the window and 10 s', () => {
    const quota = (requests: number, windowMs: number) =>
      ({ requests, windowMs, algorithm: 'token-bucket' }) as const;
    expect([1, 100, 50_000].map((requests) => largestLease(quota(requests, 60_000)))).toEqual([1, 2, 1_000]);
    expect([1_000, 60_000, 900_000].map((windowMs) => leaseMs(quota(1, windowMs)))).toEqual([
      166, 10_000, 10_000,
    ]);
  });
});
