import { createHmac, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { ManifestError } from '../errors.ts';
import {
  type EscrowKey,
  type EscrowKeys,
  escrowParametersSchema,
  fingerprintSchema,
} from './escrow-model.ts';
import { escrowMacKey } from './passphrase.ts';

/**
 * What a stored manifest says of the escrow, beside the manifest itself. None of it is secret, and none of it has to be
 * trusted: with other parameters another key comes of the passphrase, and the MAC is wrong.
 */
export const escrowSectionSchema = z.strictObject({
  /** How the wrapping keys of its objects come of their passphrases; the one that authenticates it is among them. */
  keys: z.array(escrowParametersSchema).min(1).max(20),
  mac: z.strictObject({
    algorithm: z.literal('HMAC-SHA-256'),
    fingerprint: fingerprintSchema,
    /** Base64, over the same message as KMS's. */
    value: z.string(),
  }),
});
export type EscrowSection = z.output<typeof escrowSectionSchema>;

/**
 * Authenticates a manifest with the present wrapping key; nothing while there is none.
 *
 * @param fingerprints of the keys that its objects are wrapped by.
 * @throws EscrowError, DependencyError
 */
export async function escrowSection(
  keys: EscrowKeys,
  message: Buffer,
  fingerprints: ReadonlySet<string>,
): Promise<EscrowSection | undefined> {
  const current = await keys.current();
  if (current === undefined) return undefined;
  const others = [...fingerprints].filter((fingerprint) => fingerprint !== current.fingerprint).sort();
  const used = [current];
  for (const fingerprint of others) used.push(await keys.key(fingerprint));
  return {
    keys: used.map(({ fingerprint, kdf }) => ({ fingerprint, kdf })),
    mac: {
      algorithm: 'HMAC-SHA-256',
      fingerprint: current.fingerprint,
      value: macOf(current, message).toString('base64'),
    },
  };
}

/**
 * Checks a manifest without KMS.
 * @throws ManifestError when it is not authentic, EscrowError when its wrapping key cannot be had, DependencyError.
 */
export async function verifyEscrowMac(
  keys: EscrowKeys,
  message: Buffer,
  section: EscrowSection | undefined,
): Promise<void> {
  if (section === undefined) {
    throw new ManifestError('The manifest has no MAC of an escrow passphrase: only KMS authenticates it.');
  }
  const { fingerprint, value } = section.mac;
  const expected = macOf(await keys.key(fingerprint), message);
  const found = Buffer.from(value, 'base64');
  if (found.length !== expected.length || !timingSafeEqual(found, expected)) {
    throw new ManifestError('The manifest’s MAC of the escrow is wrong: it is not what Mainstay wrote.');
  }
}

const macOf = (key: EscrowKey, message: Buffer): Buffer =>
  createHmac('sha256', escrowMacKey(key)).update(message).digest();
