import { DecryptCommand, EncryptCommand, type KMSClient } from '@aws-sdk/client-kms';
import type { WebhookId } from './ids.ts';

/** Names, in the encryption context, what a ciphertext is; the functions' rights to the key are limited to it. */
export const secretPurpose = 'webhook-secret';

/** Seals the secrets of endpoints with the platform's KMS key, each bound to its endpoint. */
export class SecretBox {
  readonly #client: KMSClient;
  readonly #keyArn: string;

  constructor(client: KMSClient, keyArn: string) {
    this.#client = client;
    this.#keyArn = keyArn;
  }

  /** @returns base64, for storage. */
  async seal(id: WebhookId, secret: string): Promise<string> {
    const { CiphertextBlob } = await this.#client.send(
      new EncryptCommand({
        KeyId: this.#keyArn,
        Plaintext: Buffer.from(secret),
        EncryptionContext: contextOf(id),
      }),
    );
    if (CiphertextBlob === undefined) throw new Error('KMS gave no ciphertext');
    return Buffer.from(CiphertextBlob).toString('base64');
  }

  /** @throws when it was sealed for another endpoint. */
  async open(id: WebhookId, sealed: string): Promise<string> {
    const { Plaintext } = await this.#client.send(
      new DecryptCommand({
        KeyId: this.#keyArn,
        CiphertextBlob: Buffer.from(sealed, 'base64'),
        EncryptionContext: contextOf(id),
      }),
    );
    if (Plaintext === undefined) throw new Error('KMS gave no plaintext');
    return Buffer.from(Plaintext).toString();
  }
}

const contextOf = (webhookId: WebhookId) => ({ purpose: secretPurpose, webhookId });
