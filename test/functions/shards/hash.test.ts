import { describe, expect, it } from '@jest/globals';
import { hashKey } from '../../../functions/shards/hash/keys.ts';

/** As PostgreSQL 18 gives them, with the seed 0. */
const vectors = [
  ['text', 'a', 3591986179850072241n],
  ['text', 'abcdefgh', -8882191227074733005n],
  ['text', 'abcdefghijk', 3112909444737856467n],
  ['text', 'abcdefghijkl', -7556637188122330412n],
  ['text', 'abcdefghijklm', 8871624171452417744n],
  ['text', 'abcdefghijklmnopqrstuvwx', -1933194731779935345n],
  ['text', 'é', -763932721387459829n],
  ['text', '日本語', 2870829529307104068n],
  ['text', '👩‍🚀 𝒳', -1219179476039281656n],
  ['text', '%_\\\\x', 1050459783154024507n],
  ['uuid', '00000000-0000-0000-0000-000000000000', -6859010066814654381n],
  ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 7543054272012930821n],
  ['uuid', 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF', 293445543803463785n],
  ['int4', '0', 4154612158245552303n],
  ['int4', '1', -3670598878359251130n],
  ['int4', '-1', -1888257769727981238n],
  ['int4', '2147483647', -9109110466470504941n],
  ['int4', '-2147483648', 1977219185673256887n],
  ['int8', '0', 4154612158245552303n],
  ['int8', '-1', -1888257769727981238n],
  ['int8', '4294967296', -3670598878359251130n],
  ['int8', '-4294967297', 495194309054116481n],
  ['int8', '9223372036854775807', 1977219185673256887n],
  ['int8', '-9223372036854775808', -9109110466470504941n],
  ['bytea', '00', -4194760714999882651n],
  ['bytea', 'ff', 168898932504818954n],
  ['bytea', '00ff10', 2701127179041872690n],
  ['bytea', '000102030405060708090a0b0c0d0e0f', -2148041578476338960n],
] as const;

describe('the hash of a key', () => {
  it.each(vectors)('is the one of PostgreSQL: %s %s', (type, key, hash) => {
    expect(hashKey(type, key)).toBe(hash);
  });

  it('is the same for a number whatever its width', () => {
    expect(hashKey('int8', '-42')).toBe(hashKey('int4', '-42'));
  });

  it('is the same however a UUID or bytes are written', () => {
    const uuid = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
    expect(hashKey('uuid', uuid.toUpperCase())).toBe(hashKey('uuid', uuid));
    expect(hashKey('bytea', '\\x00FF')).toBe(hashKey('bytea', '00ff'));
  });

  it.each([
    ['text', ''],
    ['text', 'a\0b'],
    ['text', '\ud800'],
    ['uuid', 'a0eebc99'],
    ['int4', '2147483648'],
    ['int4', '01'],
    ['int8', '9223372036854775808'],
    ['int8', '1e3'],
    ['bytea', '0'],
  ] as const)('is none for what is no %s: %j', (type, key) => {
    expect(() => hashKey(type, key)).toThrow();
  });
});
