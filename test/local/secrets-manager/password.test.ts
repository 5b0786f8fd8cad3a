import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { generateSecretString } from '../../../local/secrets-manager/password.ts';

describe('a generated password', () => {
  it('has its length, none of the excluded characters, and each kind that is left', () => {
    const settings = fc.record({
      PasswordLength: fc.integer({ min: 5, max: 200 }),
      ExcludeCharacters: fc.stringMatching(/^[a-m0-4!-)]{0,12}$/),
      ExcludeLowercase: fc.boolean(),
      ExcludeUppercase: fc.boolean(),
      ExcludeNumbers: fc.boolean(),
      ExcludePunctuation: fc.boolean(),
      IncludeSpace: fc.constant(true),
    });
    fc.assert(
      fc.property(settings, (given) => {
        const password = generateSecretString(given);
        const kinds: [boolean, RegExp][] = [
          [given.ExcludeLowercase, /[a-z]/],
          [given.ExcludeUppercase, /[A-Z]/],
          [given.ExcludeNumbers, /[0-9]/],
          [given.ExcludePunctuation, /[!-/:-@[-`{-~]/],
        ];
        expect(password).toHaveLength(given.PasswordLength);
        for (const [excluded, kind] of kinds) expect(kind.test(password)).toBe(!excluded);
        for (const character of given.ExcludeCharacters) expect(password).not.toContain(character);
      }),
    );
  });

  it('cannot be made of nothing', () => {
    const nothing = {
      ExcludeLowercase: true,
      ExcludeUppercase: true,
      ExcludeNumbers: true,
      ExcludePunctuation: true,
    };
    expect(() => generateSecretString(nothing)).toThrow(/Every character is excluded/);
  });
});
