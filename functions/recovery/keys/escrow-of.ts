import { type KeyringNode, MultiKeyringNode } from '@aws-crypto/material-management-node';
import type { KMSClient } from '@aws-sdk/client-kms';
import type { Bucket } from '../objects/bucket.ts';
import type { Opener } from '../stages/encrypt.ts';
import { EscrowKeyring } from './escrow-keyring.ts';
import type { EscrowKeys } from './escrow-model.ts';
import { EscrowStore } from './escrow-store.ts';
import { EscrowSeal } from './seal.ts';
import { SealedKeys } from './sealed-keys.ts';

/** The wrapping keys that are kept for the functions of a deployment; nothing where it has no escrow. */
export const sealedKeysOf = (
  bucket: Bucket,
  kms: KMSClient,
  sealKeyArn: string | undefined,
): EscrowKeys | undefined =>
  sealKeyArn === undefined
    ? undefined
    : new SealedKeys(new EscrowStore(bucket), new EscrowSeal(kms, sealKeyArn));

/** Wraps data keys by KMS, which makes them, and by the passphrase where there is one. */
export const withEscrow = (keyring: KeyringNode, keys: EscrowKeys | undefined): KeyringNode =>
  keys === undefined
    ? keyring
    : new MultiKeyringNode({ generator: keyring, children: [new EscrowKeyring(keys)] });

/** Opens messages by the passphrase alone. */
export const escrowOpener =
  (keys: EscrowKeys): Opener =>
  () =>
    new EscrowKeyring(keys);
