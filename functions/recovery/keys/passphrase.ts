import { hkdfSync, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { EscrowError } from '../errors.ts';
import type { EscrowKey, EscrowParameters } from './escrow-model.ts';

const keyBytes = 32;
const saltBytes = 16;
/** Least and most characters of a passphrase. */
const bounds = { min: 20, max: 1_024 };

/**
 * The passphrase as it is used: Unicode NFKC, without spaces, tabs and line breaks around it, so that it is the same
 * whether it comes from a file, a console or paper.
 *
 * @throws EscrowError when it is too short or too long.
 */
export function normalisePassphrase(text: string): string {
  const passphrase = text.normalize('NFKC').replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
  const { length } = [...passphrase];
  if (length < bounds.min || length > bounds.max) {
    throw new EscrowError(
      `The escrow passphrase has ${length} characters; it needs ${bounds.min} to ${bounds.max}.`,
    );
  }
  return passphrase;
}

/** Makes a new wrapping key of a passphrase: each has a salt of its own. */
export async function newEscrowKey(passphrase: string, stretch: Stretch = scryptKey): Promise<EscrowKey> {
  const salt = randomBytes(saltBytes).toString('base64');
  const kdf: EscrowParameters['kdf'] = { name: 'scrypt', n: 131_072, r: 8, p: 1, salt };
  const wrappingKey = await stretch(passphrase, kdf);
  return { fingerprint: fingerprintOf(wrappingKey), kdf, wrappingKey };
}

/**
 * The wrapping key of these parameters; nothing when it is another passphrase's. Takes half a second and 128 MiB.
 */
export async function deriveEscrowKey(
  passphrase: string,
  { fingerprint, kdf }: EscrowParameters,
  stretch: Stretch = scryptKey,
): Promise<EscrowKey | undefined> {
  const wrappingKey = await stretch(passphrase, kdf);
  return isKeyOf(wrappingKey, fingerprint) ? { fingerprint, kdf, wrappingKey } : undefined;
}

/** Whether a fingerprint is that of a wrapping key. */
export const isKeyOf = (wrappingKey: Buffer, fingerprint: string): boolean =>
  timingSafeEqual(Buffer.from(fingerprintOf(wrappingKey), 'hex'), Buffer.from(fingerprint, 'hex'));

/** The key that authenticates manifests without KMS. */
export const escrowMacKey = ({ wrappingKey }: EscrowKey): Buffer =>
  derived(wrappingKey, 'mainstay:escrow:manifest-mac:v1', keyBytes);

const fingerprintOf = (wrappingKey: Buffer): string =>
  derived(wrappingKey, 'mainstay:escrow:fingerprint:v1', 16).toString('hex');

/** HKDF-SHA-256 without salt: keys for other uses, from which nothing of the wrapping key follows. */
const derived = (wrappingKey: Buffer, use: string, bytes: number): Buffer =>
  Buffer.from(hkdfSync('sha256', wrappingKey, Buffer.alloc(0), Buffer.from(use, 'utf8'), bytes));

/** Makes 32 bytes of a passphrase, at a cost that keeps others from trying many. */
export type Stretch = (passphrase: string, kdf: EscrowParameters['kdf']) => Promise<Buffer>;

/** scrypt (RFC 7914). */
export const scryptKey: Stretch = (passphrase, { n, r, p, salt }) => {
  // OpenSSL counts a little more than the 128 · n · r bytes of the algorithm.
  const options = { N: n, r, p, maxmem: 128 * n * r + 1024 * 1024 };
  return new Promise((resolve, reject) => {
    scrypt(Buffer.from(passphrase, 'utf8'), Buffer.from(salt, 'base64'), keyBytes, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
};
