import { buildDecrypt } from '@aws-crypto/decrypt-node';
import { buildEncrypt } from '@aws-crypto/encrypt-node';
import { AwsKmsMrkAwareSymmetricKeyringNode } from '@aws-crypto/kms-keyring-node';
import {
  AlgorithmSuiteIdentifier,
  CommitmentPolicy,
  type KeyringNode,
} from '@aws-crypto/material-management-node';
import { DecryptCommand, EncryptCommand, GenerateDataKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { onDependency } from '../../shared/dependency.ts';
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
export function encryptStage(keyring: KeyringNode, context: EncryptionContext): Stage {
  const inner = sdk.encryptStream(keyring, {
    suiteId,
    frameLength: frameBytes,
    encryptionContext: { ...context },
  });
  return new Stage(inner, frameBytes);
}

/** The message is authentic, but it is about something else. */
export class WrongContextError extends Error {
  override readonly name = 'WrongContextError';
}

/**
 * Decrypts one message. Unsigned suites only: nothing is given out of a frame before its tag was checked.
 * Ends with `WrongContextError` when the message is not about what `expected` says.
 */
export function decryptStage(keyring: KeyringNode, expected: EncryptionContext): Stage {
  const inner = sdk.decryptUnsignedMessageStream(keyring, { maxBodySize: frameBytes });
  inner.once('MessageHeader', ({ encryptionContext }) => {
    const wrong = Object.entries(expected).find(([name, value]) => encryptionContext[name] !== value);
    if (wrong === undefined) return;
    const found = encryptionContext[wrong[0]];
    inner.destroy(
      new WrongContextError(
        `The message says ${wrong[0]} is ${found === undefined ? 'nothing' : `"${found}"`}, not "${wrong[1]}".`,
      ),
    );
  });
  return new Stage(inner, frameBytes);
}
