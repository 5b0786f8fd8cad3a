import { randomBytes, randomInt } from 'node:crypto';
import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { hashKey, type KeyType, keyTypes, sqlHashFunctions } from '../../functions/shards/hash/keys.ts';

jest.setTimeout(1_800_000);

const keys = 1_000_000;
const batch = 10_000;

const codePoint = (): number => {
  // One in two is ASCII; the rest is spread over all planes, without what is no character and U+0000.
  const point = randomInt(2) === 0 ? randomInt(1, 0x80) : randomInt(1, 0x11_0000);
  return point >= 0xd800 && point <= 0xdfff ? 0x20ac : point;
};
const made: Record<KeyType, () => string> = {
  text: () => Array.from({ length: randomInt(1, 30) }, () => String.fromCodePoint(codePoint())).join(''),
  uuid: () =>
    randomBytes(16)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
  int4: () => String(randomBytes(4).readInt32LE()),
  int8: () => String(BigInt.asIntN(randomInt(8, 65), randomBytes(8).readBigInt64LE())),
  bytea: () => randomBytes(randomInt(1, 40)).toString('hex'),
};
const parameter: Record<KeyType, string> = {
  text: 'key',
  uuid: 'key::uuid',
  int4: 'key::int4',
  int8: 'key::int8',
  bytea: "decode(key, 'hex')",
};

let database: PGlite;
beforeAll(async () => {
  database = await PGlite.create();
});
afterAll(() => database.close());

describe('the hash of a million random keys', () => {
  it.each(keyTypes)('is the one of PostgreSQL, each time: %s', async (type) => {
    for (let done = 0; done < keys; done += batch) {
      const some = Array.from({ length: batch }, made[type]);
      const { rows } = await database.query<{ hash: string }>(
        `SELECT ${sqlHashFunctions[type]}(${parameter[type]}, 0)::text AS hash
           FROM unnest($1::text[]) WITH ORDINALITY AS k(key, n) ORDER BY n`,
        [some],
      );
      const wrong = some.filter((key, index) => String(hashKey(type, key)) !== rows[index]?.hash);
      expect(wrong).toEqual([]);
    }
  });
});
