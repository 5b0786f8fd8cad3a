import { buildDecrypt } from '@aws-crypto/decrypt-node';
import { buildEncrypt } from '@aws-crypto/encrypt-node';
import { AwsKmsMrkAwareSymmetricKeyringNode } from '@aws-crypto/kms-keyring-node';
import {
  AlgorithmSuiteIdentifier,
  CommitmentPolicy,
  type EncryptedDataKey,
  type KeyringNode,
} from '@aws-crypto/material-management-node';
import { DecryptCommand, EncryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { onDependency } from '../../shared/dependency.ts';
import { escrowNamespace } from '../keys/escrow-model.ts';
import { Stage } from './stage.ts';

/** The default of 4 KiB a frame costs more time than the encryption itself; 1 MiB is still a small buffer. */
export const frameBytes = 1024 * 1024;

/** AES-256-GCM with 12-byte nonces and 16-byte tags, keys by HKDF-SHA-512, and key commitment. */
const suiteId = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;

/** The parts of `@aws-crypto/client-node`; the whole of it takes a third longer to load. */
const options = {
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: 3,
};
const sdk = { ...buildEncrypt(options), ...buildDecrypt(options) };

/** What a message is about; authenticated with it, and readable without a key. */
export type EncryptionContext = Readonly<Record<string, string>>;

/**
 * Makes what opens one message. Made anew for each, so that it can tell what KMS answered when it did not decrypt.
 */
export type Opener = (onFailure: (error: unknown) => void) => KeyringNode;

/** The three calls that a keyring makes. */
type KeyringClient = ConstructorParameters<typeof AwsKmsMrkAwareSymmetricKeyringNode>[0]['client'];

/**
 * Wraps data keys by one KMS key, or by its replica in another region.
 *
 * @param onFailure hears what KMS answered when it did not decrypt: the Encryption SDK only says that it could not.
 */
export function kmsKeyring(
  kms: KMSClient,
  keyArn: string,
  onFailure: (error: unknown) => void = () => {},
): KeyringNode {
  const client: KeyringClient = {
    generateDataKey: (input) =>
      onDependency('KMS', 'GenerateDataKey', async () =>
        complete(await kms.send(new GenerateDataKeyCommand(input))),
      ),
    encrypt: (input) =>
      onDependency('KMS', 'Encrypt', async () => complete(await kms.send(new EncryptCommand(input)))),
    decrypt: async (input) => {
      try {
        return complete(await kms.send(new DecryptCommand(input)));
      } catch (error) {
        onFailure(error);
        throw error;
      }
    },
  };
  return new AwsKmsMrkAwareSymmetricKeyringNode({ client, keyId: keyArn });
}

interface KeyAnswer {
  KeyId?: string | undefined;
  CiphertextBlob?: Uint8Array | undefined;
  Plaintext?: Uint8Array | undefined;
}

/** The Encryption SDK checks each answer; a part that is missing fails its check of lengths. */
function complete({ KeyId = '', CiphertextBlob = nothing, Plaintext = nothing }: KeyAnswer) {
  return { KeyId, CiphertextBlob, Plaintext };
}
const nothing = new Uint8Array();

/** Encrypts a stream as one message of the AWS Encryption SDK, under a data key of its own. */
export function encryptStage(keyring: KeyringNode, context: EncryptionContext): EncryptStage {
  return new EncryptStage(keyring, context);
}

/** A message that is being made. */
export class EncryptStage extends Stage {
  #escrow: string | undefined;

  constructor(keyring: KeyringNode, context: EncryptionContext) {
    const inner = sdk.encryptStream(keyring, {
      suiteId,
      frameLength: frameBytes,
      encryptionContext: { ...context },
    });
    super(inner, frameBytes);
    inner.once(
      'MessageHeader',
      ({ encryptedDataKeys }: { encryptedDataKeys: readonly EncryptedDataKey[] }) => {
        const wrapped = encryptedDataKeys.find(({ providerId }) => providerId === escrowNamespace);
        this.#escrow = wrapped?.providerInfo.slice(0, fingerprintLength);
      },
    );
  }

  /**
   * The Encryption SDK's streams throw, where nobody catches it, when they are destroyed before the message's end; they hold
   * nothing but memory.
   */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error);
  }

  /** Fingerprint of the wrapping key of the escrow that the data key is wrapped by too; known at the message's end. */
  get escrow(): string | undefined {
    return this.#escrow;
  }
}
const fingerprintLength = 32;

/** The message is authentic, but it is about something else. */
export class WrongContextError extends Error {
  override readonly name = 'WrongContextError';
}

/**
 * Decrypts one message. Unsigned suites only: nothing is given out of a frame before its tag was checked.
 * Ends with `WrongContextError` unless the message is about exactly what `expected` says, no less and no more;
 * `undefined`: it may be about anything, and only its authenticity counts.
 */
export function decryptStage(keyring: KeyringNode, expected: EncryptionContext | undefined): Stage {
  const inner = sdk.decryptUnsignedMessageStream(keyring, { maxBodySize: frameBytes });
  inner.once('MessageHeader', ({ encryptionContext }) => {
    if (expected === undefined) return;
    const names = new Set([...Object.keys(expected), ...Object.keys(encryptionContext)]);
    const wrong = [...names].find((name) => encryptionContext[name] !== expected[name]);
    if (wrong === undefined) return;
    const [found, wanted] = [encryptionContext[wrong], expected[wrong]].map((value) =>
      value === undefined ? 'nothing' : `"${value}"`,
    );
    inner.destroy(new WrongContextError(`The message says ${wrong} is ${found}, not ${wanted}.`));
  });
  return new Stage(inner, frameBytes);
}
