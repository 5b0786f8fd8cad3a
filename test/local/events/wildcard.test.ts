import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { wildcardMatches } from '../../../local/events/wildcard.ts';

describe('a wildcard pattern', () => {
  it.each([
    ['*', '', true],
    ['a*', 'abc', true],
    ['*c', 'abc', true],
    ['a*c*e', 'abcde', true],
    ['a*a', 'a', false],
    ['a*b*b', 'ab', false],
    ['abc', 'abcd', false],
    ['a\\*c', 'a*c', true],
    ['a\\*c', 'abc', false],
    ['a\\\\*', 'a\\b', true],
    ['.*', 'x', false],
  ])('%s on %j is %s', (pattern, text, expected) => {
    expect(wildcardMatches(pattern, text)).toBe(expected);
  });

  it('matches exactly as the regular expression of the same meaning', () => {
    const character = fc.constantFrom('a', 'b', '*', '.', 'ü', '\n');
    const text = fc.array(character, { maxLength: 12 }).map((characters) => characters.join(''));
    fc.assert(
      fc.property(text, text, (pattern, subject) => {
        const source = pattern.replaceAll('.', '\\.').replaceAll('*', '.*');
        expect(wildcardMatches(pattern, subject)).toBe(new RegExp(`^${source}$`, 's').test(subject));
      }),
      { numRuns: 1000 },
    );
  });
});
