import * as z from 'zod';
import { hashBytes, hashWord } from './hash-bytes.ts';

/** The types that a key may have in the database. */
export const keyTypes = ['text', 'uuid', 'int4', 'int8', 'bytea'] as const;
export type KeyType = (typeof keyTypes)[number];

/** The function of PostgreSQL that gives the same hash, with the seed 0 as its second argument. */
export const sqlHashFunctions = {
  text: 'hashtextextended',
  uuid: 'uuid_hash_extended',
  int4: 'hashint4extended',
  int8: 'hashint8extended',
  bytea: 'hashbyteaextended',
} as const satisfies Record<KeyType, string>;

const utf8 = new TextEncoder();
const integer = (bits: 32 | 64) => {
  const most = 2n ** BigInt(bits - 1);
  return z
    .string()
    .regex(/^(0|-?[1-9][0-9]{0,18})$/, 'a decimal whole number')
    .transform(BigInt)
    .refine((value) => value >= -most && value < most, `a whole number of ${bits} bits`);
};

/** How a key is written in a request, by its type. */
const written = {
  text: z
    .string()
    .min(1)
    .max(1024)
    // PostgreSQL has neither: a text that cannot be stored has no place.
    .refine((text) => text.isWellFormed() && !text.includes('\0'), 'well-formed Unicode without U+0000'),
  uuid: z.guid('a UUID'),
  int4: integer(32),
  int8: integer(64),
  bytea: z
    .string()
    .max(2048)
    .regex(/^(\\x)?([0-9a-fA-F]{2})+$/, 'bytes in hexadecimal'),
};

/**
 * The hash by which PostgreSQL routes rows with a key to hash partitions, and Mainstay to slots: bit for bit what
 * `sqlHashFunctions` give with the seed 0. Text is hashed as UTF-8 and with a deterministic collation, as every
 * collation is that was not made otherwise.
 *
 * @returns a signed number of 64 bits, as PostgreSQL shows it.
 * @throws z.ZodError when the key is none of the type.
 */
export function hashKey(type: KeyType, key: string): bigint {
  return BigInt.asIntN(64, unsignedHash(type, key));
}

function unsignedHash(type: KeyType, key: string): bigint {
  switch (type) {
    case 'text':
      return hashBytes(utf8.encode(written.text.parse(key)));
    case 'uuid':
      return hashBytes(Buffer.from(written.uuid.parse(key).replaceAll('-', ''), 'hex'));
    case 'int4':
      return hashWord(Number(written.int4.parse(key)));
    case 'int8':
      return hashInteger(written.int8.parse(key));
    case 'bytea':
      return hashBytes(Buffer.from(written.bytea.parse(key).replace(/^\\x/, ''), 'hex'));
    default:
      return type satisfies never;
  }
}

/** As `hashint8extended`: numbers that fit 32 bits hash as they do as `int4`. */
function hashInteger(value: bigint): bigint {
  const bits = BigInt.asUintN(64, value);
  const [low, high] = [Number(bits & 0xffffffffn), Number(bits >> 32n)];
  return hashWord(low ^ (value >= 0n ? high : ~high));
}
