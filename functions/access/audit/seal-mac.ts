import {
  GenerateMacCommand,
  type KMSClient,
  KMSInvalidMacException,
  VerifyMacCommand,
} from '@aws-sdk/client-kms';
import { hashOf } from './chain.ts';
import type { SealContent } from './model.ts';

const algorithm = 'HMAC_SHA_256';

/** The MACs of seals, by a key that never leaves KMS: whoever can write to the table cannot make one. */
export class SealMac {
  readonly #kms: KMSClient;
  readonly #keyArn: string;

  constructor(kms: KMSClient, keyArn: string) {
    this.#kms = kms;
    this.#keyArn = keyArn;
  }

  /** The MAC in base64. */
  async make(content: SealContent): Promise<string> {
    const { Mac } = await this.#kms.send(
      new GenerateMacCommand({ KeyId: this.#keyArn, MacAlgorithm: algorithm, Message: macMessage(content) }),
    );
    if (Mac === undefined) throw new Error('KMS made no MAC');
    return Buffer.from(Mac).toString('base64');
  }

  /** Whether the MAC is that of the content. */
  async isRight(content: SealContent, mac: string): Promise<boolean> {
    try {
      const { MacValid } = await this.#kms.send(
        new VerifyMacCommand({
          KeyId: this.#keyArn,
          MacAlgorithm: algorithm,
          Message: macMessage(content),
          Mac: Buffer.from(mac, 'base64'),
        }),
      );
      return MacValid === true;
    } catch (error) {
      if (error instanceof KMSInvalidMacException) return false;
      throw error;
    }
  }
}

/** A label that no other use of the key shares, and the hash of what is sealed. */
const macMessage = (content: SealContent): Buffer =>
  Buffer.from(`mainstay:audit-seal:v1\n${hashOf(content)}`, 'utf8');
