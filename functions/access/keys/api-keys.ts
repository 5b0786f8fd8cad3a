import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type KeyId, keyIdSchema } from './key-id.ts';

/** `msk_` lets secret scanners recognise a key; the id is public, the secret has 256 bits. */
const keyPattern = /^msk_([a-z2-7]{8})_[A-Za-z0-9_-]{43}$/;
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

export interface GeneratedKey {
  /** Eight characters that name the key in lists and logs. */
  readonly id: KeyId;
  /** The whole key, shown to its owner once. */
  readonly key: string;
}

/** Makes a new API key from the system's random source. @param id default: a random one. */
export function generateKey(id: KeyId = keyIdOf(randomBytes(8))): GeneratedKey {
  return { id, key: `msk_${id}_${randomBytes(32).toString('base64url')}` };
}

/** The id of the key that a request makes: the same for the same work id. @param number counts from 1. */
export function keyIdOfWork(workId: string, number: number): KeyId {
  return keyIdOf(createHash('sha256').update(`${workId} ${number}`).digest().subarray(0, 8));
}

const keyIdOf = (bytes: Uint8Array): KeyId =>
  keyIdSchema.parse(Array.from(bytes, (byte) => alphabet.charAt(byte & 31)).join(''));

/** The id in a key, or `undefined` when the text is no API key at all. */
export function idOfKey(text: string): KeyId | undefined {
  return keyIdSchema.safeParse(keyPattern.exec(text)?.[1]).data;
}

/** What is stored in place of a key: HMAC-SHA-256 under the deployment's pepper, 64 hex digits. */
export function hashKey(pepper: string, key: string): string {
  return createHmac('sha256', pepper).update(key, 'utf8').digest('hex');
}

/** A hash that no key has, compared with where there is none, so that both cases do the same work. */
const noHash = '0'.repeat(64);

/**
 * Whether `key` is the one that `storedHash` was made of, in time that depends on neither: the hash is always
 * computed and always compared, also when there is nothing to compare with.
 */
export function verifyKey(pepper: string, key: string, storedHash: string | undefined): boolean {
  const computed = Buffer.from(hashKey(pepper, key), 'hex');
  const usable = storedHash !== undefined && /^[0-9a-f]{64}$/.test(storedHash);
  const equal = timingSafeEqual(computed, Buffer.from(usable ? storedHash : noHash, 'hex'));
  return usable && equal;
}
