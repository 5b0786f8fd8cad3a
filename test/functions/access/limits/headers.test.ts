import { describe, expect, it } from '@jest/globals';
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

  it('are absent where no limit applies', () => {
    expect(limitHeaders([])).toEqual({});
  });
});
