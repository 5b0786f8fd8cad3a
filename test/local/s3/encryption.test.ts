import { createHash } from 'node:crypto';
import {
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetBucketEncryptionCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { allow } from '../aws/emulated-aws.ts';
import { type EmulatedS3, startS3 } from './emulated-s3.ts';

const Bucket = 'encrypted';
let emulated: EmulatedS3;
let keyArn: string;
let otherArn: string;

beforeAll(async () => {
  emulated = await startS3();
  ({ arn: keyArn } = await emulated.kms.ensureKey({ name: 'bucket', aliases: ['alias/bucket'] }));
  ({ arn: otherArn } = await emulated.kms.ensureKey({ name: 'other', aliases: ['alias/other'] }));
  emulated.s3.ensureBucket({ name: Bucket, encryption: { algorithm: 'aws:kms', keyArn } });
});
afterAll(() => emulated.close());

const object = { Bucket, Key: 'key' };
const files = allow(['s3:PutObject', 's3:GetObject']);

describe('SSE-KMS', () => {
  it('uses the key of the bucket without being asked, and says so', async () => {
    const put = await emulated.client.send(new PutObjectCommand({ ...object, Body: 'secret' }));
    const expected = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn };
    expect(put).toMatchObject(expected);
    expect(await emulated.client.send(new HeadObjectCommand(object))).toMatchObject(expected);
    const encryption = await emulated.client.send(new GetBucketEncryptionCommand({ Bucket }));
    expect(encryption.ServerSideEncryptionConfiguration?.Rules).toEqual([
      {
        ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: keyArn },
        BucketKeyEnabled: false,
      },
    ]);
  });

  it('gives entity tags that say nothing of the bytes, as on AWS', async () => {
    const put = await emulated.client.send(new PutObjectCommand({ ...object, Body: 'secret' }));
    expect(put.ETag).toMatch(/^"[0-9a-f]{32}"$/);
    expect(put.ETag).not.toBe(`"${createHash('md5').update('secret').digest('hex')}"`);
  });

  it('writes only for who may generate data keys with the key, naming action and key', async () => {
    const call = new PutObjectCommand({ ...object, Body: 'secret' });
    await expect(emulated.asRole(files).send(call)).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining(`kms:GenerateDataKey on resource: "${keyArn}"`),
    });
    await emulated.asRole(files, allow('kms:GenerateDataKey', keyArn)).send(call);
  });

  it('reads only for who may decrypt with the key, but heads for all who may read', async () => {
    const call = new GetObjectCommand(object);
    const client = emulated.asRole(files, allow('kms:GenerateDataKey', keyArn));
    await expect(client.send(call)).rejects.toMatchObject({
      message: expect.stringContaining(`kms:Decrypt on resource: "${keyArn}"`),
    });
    await client.send(new HeadObjectCommand(object));
    const read = await emulated.asRole(files, allow('kms:Decrypt', keyArn)).send(call);
    expect(await read.Body?.transformToString()).toBe('secret');
  });

  it('asks KMS in the name of S3, for the object or, with a bucket key, the bucket', async () => {
    const via = (arn: string) => ({
      StringEquals: {
        'kms:ViaService': 's3.us-east-1.amazonaws.com',
        'kms:EncryptionContext:aws:s3:arn': arn,
      },
    });
    const put = (arn: string, BucketKeyEnabled: boolean) =>
      emulated
        .asRole(files, allow('kms:GenerateDataKey', keyArn, via(arn)))
        .send(
          new PutObjectCommand({ ...object, Body: 'x', ServerSideEncryption: 'aws:kms', BucketKeyEnabled }),
        );
    await put(`arn:aws:s3:::${Bucket}/key`, false);
    await put(`arn:aws:s3:::${Bucket}`, true);
    await expect(put(`arn:aws:s3:::${Bucket}/key`, true)).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('takes another key by alias, and remembers which key that was', async () => {
    const put = await emulated.client.send(
      new PutObjectCommand({
        ...object,
        Body: 'x',
        ServerSideEncryption: 'aws:kms',
        SSEKMSKeyId: 'alias/other',
      }),
    );
    expect(put.SSEKMSKeyId).toBe(otherArn);
    const plain = await emulated.client.send(
      new PutObjectCommand({ ...object, Body: 'x', ServerSideEncryption: 'AES256' }),
    );
    expect(plain.SSEKMSKeyId).toBeUndefined();
  });

  it('needs both rights for parts and for copies', async () => {
    await emulated.client.send(new PutObjectCommand({ ...object, Body: 'x' }));
    const begun = await emulated.client.send(new CreateMultipartUploadCommand(object));
    const part = { ...object, UploadId: begun.UploadId, PartNumber: 1, Body: 'x' };
    const copy = { Bucket, Key: 'copy', CopySource: `${Bucket}/key` };
    for (const action of ['kms:GenerateDataKey', 'kms:Decrypt']) {
      const client = emulated.asRole(files, allow(action, keyArn));
      await expect(client.send(new UploadPartCommand(part))).rejects.toMatchObject({ name: 'AccessDenied' });
      await expect(client.send(new CopyObjectCommand(copy))).rejects.toMatchObject({ name: 'AccessDenied' });
    }
    const client = emulated.asRole(files, allow(['kms:GenerateDataKey', 'kms:Decrypt'], keyArn));
    await client.send(new UploadPartCommand(part));
    await client.send(new CopyObjectCommand(copy));
  });

  it('refuses a key that is not there and a method that S3 does not have', async () => {
    const put = (input: object) =>
      emulated.client.send(new PutObjectCommand({ ...object, Body: 'x', ...input }));
    await expect(put({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/absent' })).rejects.toMatchObject(
      { name: 'KMS.NotFoundException' },
    );
    await expect(put({ ServerSideEncryption: 'rot13' })).rejects.toMatchObject({ name: 'InvalidArgument' });
    await expect(put({ SSEKMSKeyId: keyArn })).rejects.toMatchObject({ name: 'InvalidArgument' });
  });
});
