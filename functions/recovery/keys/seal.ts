import { DecryptCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms';
import { onDependency } from '../../shared/dependency.ts';
import { EscrowError } from '../errors.ts';
import { type EscrowKey, type EscrowRecord, escrowPurpose } from './escrow-model.ts';
import { isKeyOf } from './passphrase.ts';

const contextOf = ({ fingerprint }: Pick<EscrowRecord, 'fingerprint'>) => ({
  'mainstay:purpose': escrowPurpose,
  'mainstay:fingerprint': fingerprint,
});

/** Seals wrapping keys by a KMS key that backups do not need, and opens them again. */
export class EscrowSeal {
  readonly #kms: KMSClient;
  readonly #keyArn: string;

  constructor(kms: KMSClient, keyArn: string) {
    this.#kms = kms;
    this.#keyArn = keyArn;
  }

  /** @throws DependencyError */
  async seal({ fingerprint, kdf, wrappingKey }: EscrowKey, createdAt: string): Promise<EscrowRecord> {
    const { CiphertextBlob = new Uint8Array() } = await onDependency('KMS', 'Encrypt', () =>
      this.#kms.send(
        new EncryptCommand({
          KeyId: this.#keyArn,
          Plaintext: wrappingKey,
          EncryptionContext: contextOf({ fingerprint }),
        }),
      ),
    );
    return { fingerprint, kdf, sealedKey: Buffer.from(CiphertextBlob).toString('base64'), createdAt };
  }

  /**
   * @throws DependencyError; EscrowError when the record is not one that was sealed here.
   */
  async open({ fingerprint, kdf, sealedKey }: EscrowRecord): Promise<EscrowKey> {
    const { Plaintext = new Uint8Array() } = await onDependency('KMS', 'Decrypt', () =>
      this.#kms.send(
        new DecryptCommand({
          KeyId: this.#keyArn,
          CiphertextBlob: Buffer.from(sealedKey, 'base64'),
          EncryptionContext: contextOf({ fingerprint }),
        }),
      ),
    );
    const wrappingKey = Buffer.from(Plaintext);
    if (wrappingKey.length !== 32 || !isKeyOf(wrappingKey, fingerprint)) {
      throw new EscrowError(`The record of the wrapping key ${fingerprint} holds another key.`);
    }
    return { fingerprint, kdf, wrappingKey };
  }
}
