import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { generateKey, hashKey, idOfKey, verifyKey } from '../../../functions/access/keys/api-keys.ts';

const pepper = 'a pepper';

describe('an API key', () => {
  it('has the documented form, with an id that names it', () => {
    const { id, key } = generateKey();
    expect(key).toMatch(/^msk_[a-z2-7]{8}_[A-Za-z0-9_-]{43}$/);
    expect(idOfKey(key)).toBe(id);
  });

  it('is never made twice', () => {
    const keys = Array.from({ length: 2_000 }, generateKey);
    expect(new Set(keys.map(({ key }) => key)).size).toBe(keys.length);
  });

  it('uses every letter of the alphabet for its id', () => {
    const letters = new Set(Array.from({ length: 500 }, () => [...generateKey().id]).flat());
    expect(letters.size).toBe(32);
  });

  it('is recognised in no text that only looks like one', () => {
    const { key } = generateKey();
    const others = [
      '',
      'msk_',
      key.slice(0, -1),
      `${key}a`,
      `${key}\n`,
      ` ${key}`,
      key.toUpperCase(),
      key.replace('msk', 'sk'),
    ];
    for (const text of others) expect(idOfKey(text)).toBeUndefined();
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(idOfKey(text)).toBeUndefined();
      }),
    );
  });

  it('is verified by its own hash, under the same pepper, alone', () => {
    const { key } = generateKey();
    const hash = hashKey(pepper, key);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(verifyKey(pepper, key, hash)).toBe(true);
    expect(verifyKey('another pepper', key, hash)).toBe(false);
    expect(verifyKey(pepper, generateKey().key, hash)).toBe(false);
  });

  it('is verified by nothing where there is no hash, or one that is damaged', () => {
    const { key } = generateKey();
    for (const hash of [undefined, '', '0'.repeat(64), 'not hex', hashKey(pepper, key).slice(2)]) {
      expect(verifyKey(pepper, key, hash)).toBe(false);
    }
  });
});
