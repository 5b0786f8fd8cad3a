import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { matchesArn, matchesGlob } from '../../../local/iam/glob.ts';

/** The definition of a glob, without a thought for speed. */
function reference(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  const rest = pattern.slice(1);
  if (pattern[0] === '*') {
    return Array.from({ length: text.length + 1 }, (_, index) => text.slice(index)).some((end) =>
      reference(rest, end),
    );
  }
  return text !== '' && (pattern[0] === '?' || pattern[0] === text[0]) && reference(rest, text.slice(1));
}

describe('wildcards', () => {
  it('match what their definition matches', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', ':', '*', '?'), maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ':', '*', '?'), maxLength: 10 });
    fc.assert(
      fc.property(pattern, text, (p, t) => matchesGlob(p, t) === reference(p, t)),
      { numRuns: 2000 },
    );
  });

  it('take no time over patterns made to be slow', () => {
    const started = performance.now();
    expect(matchesGlob(`${'*a'.repeat(200)}b`, 'a'.repeat(5000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('do not reach over the parts of an ARN where ARNs are compared', () => {
    const arn = 'arn:aws:s3:us-east-1:000000000000:a/b:c';
    expect(matchesArn('arn:aws:s3:*:*:a/*', arn)).toBe(true);
    expect(matchesArn('arn:*', arn)).toBe(false);
    expect(matchesArn('arn:aws:*:000000000000:a/b:c', arn)).toBe(false);
  });
});
