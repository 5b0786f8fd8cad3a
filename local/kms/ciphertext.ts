import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { Key } from './key.ts';
import { kmsError } from './kms-error.ts';

/** Name-value pairs that a ciphertext is bound to. */
export type EncryptionContext = Readonly<Record<string, string>>;

const version = 1;
const ivLength = 12;
const tagLength = 16;

/**
 * Encrypts under a key with AES-256-GCM, bound to key id and encryption context. The blob names its
 * key: version, length of the key id, key id, initialization vector, ciphertext, tag.
 */
export function encryptUnder(key: Key, plaintext: Uint8Array, context: EncryptionContext): Buffer {
  const header = Buffer.concat([Buffer.from([version, key.keyId.length]), Buffer.from(key.keyId, 'latin1')]);
  const iv = randomBytes(ivLength);
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(key.material, 'base64'), iv);
  cipher.setAAD(additionalData(header, context));
  return Buffer.concat([header, iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The key id a blob names. Throws `InvalidCiphertextException` when it is none of ours. */
export function keyIdOf(blob: Uint8Array): string {
  const length = blob[1] ?? 0;
  if (blob[0] !== version || length === 0 || blob.length < 2 + length + ivLength + tagLength) {
    throw kmsError.invalidCiphertext();
  }
  return Buffer.from(blob.subarray(2, 2 + length)).toString('latin1');
}

/** Throws `InvalidCiphertextException` unless blob, key and context belong together. */
export function decryptUnder(key: Key, blob: Uint8Array, context: EncryptionContext): Buffer {
  const bytes = Buffer.from(blob);
  const headerLength = 2 + keyIdOf(blob).length;
  const header = bytes.subarray(0, headerLength);
  const iv = bytes.subarray(headerLength, headerLength + ivLength);
  const decipher = createDecipheriv('aes-256-gcm', Buffer.from(key.material, 'base64'), iv);
  decipher.setAAD(additionalData(header, context));
  decipher.setAuthTag(bytes.subarray(-tagLength));
  try {
    return Buffer.concat([
      decipher.update(bytes.subarray(headerLength + ivLength, -tagLength)),
      decipher.final(),
    ]);
  } catch {
    throw kmsError.invalidCiphertext();
  }
}

/** HMAC-SHA-256 of a message under an HMAC key. */
export function macUnder(key: Key, message: Uint8Array): Buffer {
  return createHmac('sha256', Buffer.from(key.material, 'base64')).update(message).digest();
}

/** Header and context, independent of the order the context was given in. */
function additionalData(header: Buffer, context: EncryptionContext): Buffer {
  const pairs = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.concat([header, Buffer.from(JSON.stringify(pairs))]);
}
