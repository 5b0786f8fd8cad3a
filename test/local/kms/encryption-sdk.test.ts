import {
  AwsKmsMrkAwareSymmetricKeyringNode,
  buildClient,
  CommitmentPolicy,
  getClient,
  KMS,
  KmsKeyringNode,
} from '@aws-crypto/client-node';
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
const plaintext = Buffer.alloc(100_000, 'row');
const context = { backup: 'b1' };

describe('the AWS Encryption SDK', () => {
  it('encrypts and decrypts with a keyring on a multi-Region key', async () => {
    const settings = aws.asRole(allow(['kms:GenerateDataKey', 'kms:Decrypt', 'kms:Encrypt'], key.arn));
    const keyring = new KmsKeyringNode({
      generatorKeyId: key.arn,
      clientProvider: getClient(KMS, settings),
    });
    const { result } = await encrypt(keyring, plaintext, { encryptionContext: context });
    const opened = await decrypt(keyring, result);
    expect(opened.plaintext).toEqual(plaintext);
    expect(opened.messageHeader.encryptionContext).toMatchObject(context);
  });

  it('encrypts and decrypts with the keyring that knows multi-Region keys', async () => {
    const client = new KMS(aws.asRole(allow(['kms:GenerateDataKey', 'kms:Decrypt', 'kms:Encrypt'], key.arn)));
    const keyring = new AwsKmsMrkAwareSymmetricKeyringNode({ keyId: key.arn, client });
    const { result } = await encrypt(keyring, plaintext, { encryptionContext: context });
    expect((await decrypt(keyring, result)).plaintext).toEqual(plaintext);
  });

  it('cannot decrypt for a role that may only encrypt', async () => {
    const provider = getClient(KMS, aws.asRole(allow('kms:GenerateDataKey', key.arn)));
    const keyring = new KmsKeyringNode({ generatorKeyId: key.arn, clientProvider: provider });
    const { result } = await encrypt(keyring, plaintext);
    await expect(decrypt(keyring, result)).rejects.toThrow(/kms:Decrypt/);
  });
});
