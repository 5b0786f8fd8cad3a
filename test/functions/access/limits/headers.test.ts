import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { limitHeaders } from '../../../../functions/access/limits/headers.ts';

const limit = { name: 'free', requests: 100, windowMs: 60_000, algorithm: 'sliding-window' } as const;

describe('the headers of limits', () => {
  it('name each limit with quota and window, and what is left of it, in whole seconds rounded up', () => {
    const headers = limitHeaders([
      { limit, left: 50, resetMs: 29_001 },
      {
        limit: { ...limit, name: 'GET /a per user in 1 s', requests: 2, windowMs: 1_000 },
        left: 0,
        resetMs: 1,
      },
    ]);
    expect(headers).toEqual({
      'ratelimit-policy': '"free";q=100;w=60, "GET /a per user in 1 s";q=2;w=1',
      ratelimit: '"free";r=50;t=30, "GET /a per user in 1 s";r=0;t=1',
    });
  });

  it('are structured fields whatever the name is', () => {
    const headers = limitHeaders([{ limit: { ...limit, name: 'a"b\\c é' }, left: 1, resetMs: 0 }]);
    expect(headers.ratelimit).toBe('"a\\"b\\\\c %C3%A9";r=1;t=0');
  });

  it('are lists of strings with the parameters of the draft, whatever names and numbers there are', () => {
    const string = String.raw`"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"`;
    const list = (item: string) => new RegExp(`^${item}(?:, ${item})*$`);
    const [policy, standing] = [
      list(`${string};q=\\d{1,15};w=[1-9]\\d*`),
      list(`${string};r=\\d{1,15};t=\\d+`),
    ];
    const standings = fc.array(
      fc.record({
        limit: fc.record({
          name: fc.string({ unit: 'binary' }).map((name) => `${name}\ud800"\\\n`),
          requests: fc.integer({ min: 1, max: 1_000_000 }),
          windowMs: fc.integer({ min: 1_000, max: 86_400_000 }),
          algorithm: fc.constantFrom('sliding-window' as const, 'token-bucket' as const),
        }),
        left: fc.nat(1_000_000),
        resetMs: fc.nat(86_400_000),
      }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(standings, (given) => {
        const headers = limitHeaders(given);
        expect(headers['ratelimit-policy']).toMatch(policy);
        expect(headers.ratelimit).toMatch(standing);
      }),
      { numRuns: 50 },
    );
  });

  it('are absent where no limit applies', () => {
    expect(limitHeaders([])).toEqual({});
  });
});
