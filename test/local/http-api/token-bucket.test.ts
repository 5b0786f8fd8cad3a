import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TokenBucket } from '../../../local/http-api/token-bucket.ts';

describe('a token bucket', () => {
  it('never lets more through than its burst and its rate allow', () => {
    const throttle = fc.record({
      rateLimit: fc.double({ min: 0.1, max: 1000, noNaN: true }),
      burstLimit: fc.integer({ min: 1, max: 100 }),
    });
    fc.assert(
      fc.property(throttle, fc.array(fc.integer({ min: 0, max: 500 })), (limits, pauses) => {
        let now = 0;
        let taken = 0;
        const bucket = new TokenBucket(limits, () => now);
        for (const pause of pauses) {
          now += pause;
          if (bucket.take()) taken += 1;
        }
        expect(taken).toBeLessThanOrEqual(limits.burstLimit + (now / 1000) * limits.rateLimit + 1e-6);
      }),
    );
  });

  it('fills again', () => {
    let now = 0;
    const bucket = new TokenBucket({ rateLimit: 10, burstLimit: 2 }, () => now);
    expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([true, true, false]);
    now += 100;
    expect([bucket.take(), bucket.take()]).toEqual([true, false]);
    now += 60_000;
    expect([bucket.take(), bucket.take(), bucket.take()]).toEqual([true, true, false]);
  });
});
