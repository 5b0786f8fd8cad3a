import {
  type EncryptedDataKey,
  immutableClass,
  KeyringNode,
  type NodeDecryptionMaterial,
  type NodeEncryptionMaterial,
} from '@aws-crypto/material-management-node';
import { RawAesKeyringNode, RawAesWrappingSuiteIdentifier } from '@aws-crypto/raw-aes-keyring-node';
import { EscrowError } from '../errors.ts';
import { type EscrowKey, type EscrowKeys, escrowNamespace } from './escrow-model.ts';

/** Hexadecimal digits of a fingerprint, with which the name of a wrapped data key begins. */
const nameLength = 32;

/**
 * Wraps data keys by a wrapping key that comes of a passphrase, beside whatever else wraps them; public tools know it as
 * a raw AES key. Without a passphrase it adds nothing.
 */
export class EscrowKeyring extends KeyringNode {
  readonly #keys: EscrowKeys;

  constructor(keys: EscrowKeys) {
    super();
    this.#keys = keys;
    Object.freeze(this);
  }

  override async _onEncrypt(material: NodeEncryptionMaterial): Promise<NodeEncryptionMaterial> {
    const key = await this.#keys.current();
    if (key !== undefined) await aesKeyring(key).onEncrypt(material);
    return material;
  }

  /** @throws EscrowError when the message was stored without a passphrase, or with one that is not known. */
  override async _onDecrypt(
    material: NodeDecryptionMaterial,
    dataKeys: EncryptedDataKey[],
  ): Promise<NodeDecryptionMaterial> {
    const own = dataKeys.filter(({ providerId }) => providerId === escrowNamespace);
    if (own.length === 0) {
      throw new EscrowError('It was stored without an escrow passphrase: only KMS opens it.');
    }
    for (const { providerInfo } of own) {
      const key = await this.#keys.key(providerInfo.slice(0, nameLength));
      await aesKeyring(key).onDecrypt(material, own);
      if (material.hasValidKey()) break;
    }
    return material;
  }
}
immutableClass(EscrowKeyring);

const aesKeyring = ({ fingerprint, wrappingKey }: EscrowKey): RawAesKeyringNode =>
  new RawAesKeyringNode({
    keyNamespace: escrowNamespace,
    keyName: fingerprint,
    // It takes only bytes with memory of their own.
    unencryptedMasterKey: Uint8Array.from(wrappingKey),
    wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });
