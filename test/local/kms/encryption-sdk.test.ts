import {
  AwsKmsMrkAwareSymmetricKeyringNode,
  buildClient,
  CommitmentPolicy,
  KmsKeyringNode,
} from '@aws-crypto/client-node';
import { KMS, type KMSClientConfig } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KmsService } from '../../../local/kms/kms-service.ts';
import { allow, type EmulatedAws, startAws } from '../aws/emulated-aws.ts';

let aws: EmulatedAws;
let key: { keyId: string; arn: string };

beforeAll(async () => {
  let service: KmsService | undefined;
  aws = await startAws(({ directory, authorizer }) => {
    service = new KmsService({ directory, authorizer });
    return [service.api];
  });
  if (!service) throw new Error('no service');
  key = await service.ensureKey({ name: 'encryption', multiRegion: true });
});
afterAll(() => aws.close());

const { encrypt, decrypt } = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
/** The SDK's client in the shape the keyrings are typed for. */
function keyringClient(settings: KMSClientConfig) {
  const kms = new KMS(settings);
  const none = new Uint8Array();
  return {
    encrypt: async (input: Parameters<KMS['encrypt']>[0]) => {
      const { CiphertextBlob = none, KeyId = '' } = await kms.encrypt(input);
      return { CiphertextBlob, KeyId };
    },
    decrypt: async (input: Parameters<KMS['decrypt']>[0]) => {
      const { Plaintext = none, KeyId = '' } = await kms.decrypt(input);
      return { Plaintext, KeyId };
    },
    generateDataKey: async (input: Parameters<KMS['generateDataKey']>[0]) => {
      const { CiphertextBlob = none, Plaintext = none, KeyId = '' } = await kms.generateDataKey(input);
      return { CiphertextBlob, Plaintext, KeyId };
    },
  };
}

const plaintext = Buffer.alloc(100_000, 'row');
const context = { backup: 'b1' };

describe('the AWS Encryption SDK', () => {
  it('encrypts and decrypts with a keyring on a multi-Region key', async () => {
    const client = keyringClient(
      aws.asRole(allow(['kms:GenerateDataKey', 'kms:Decrypt', 'kms:Encrypt'], key.arn)),
    );
    const keyring = new KmsKeyringNode({ generatorKeyId: key.arn, clientProvider: () => client });
    const { result } = await encrypt(keyring, plaintext, { encryptionContext: context });
    const opened = await decrypt(keyring, result);
    expect(opened.plaintext).toEqual(plaintext);
    expect(opened.messageHeader.encryptionContext).toMatchObject(context);
  });

  it('encrypts and decrypts with the keyring that knows multi-Region keys', async () => {
    const client = keyringClient(
      aws.asRole(allow(['kms:GenerateDataKey', 'kms:Decrypt', 'kms:Encrypt'], key.arn)),
    );
    const keyring = new AwsKmsMrkAwareSymmetricKeyringNode({ keyId: key.arn, client });
    const { result } = await encrypt(keyring, plaintext, { encryptionContext: context });
    expect((await decrypt(keyring, result)).plaintext).toEqual(plaintext);
  });

  it('cannot decrypt for a role that may only encrypt', async () => {
    const client = keyringClient(aws.asRole(allow('kms:GenerateDataKey', key.arn)));
    const keyring = new KmsKeyringNode({ generatorKeyId: key.arn, clientProvider: () => client });
    const { result } = await encrypt(keyring, plaintext);
    await expect(decrypt(keyring, result)).rejects.toThrow(/kms:Decrypt/);
  });
});
