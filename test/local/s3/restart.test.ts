import { readFileSync, statSync, writeFileSync } from 'node:fs';
import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { allow } from '../aws/emulated-aws.ts';
import { type EmulatedS3, startS3 } from './emulated-s3.ts';

const Bucket = 'lasting';
let emulated: EmulatedS3;

beforeAll(async () => {
  emulated = await startS3();
  emulated.s3.ensureBucket({ name: Bucket, versioning: 'Enabled' });
});
afterAll(() => emulated.close());

const read = async (Key: string) => {
  const object = await emulated.client.send(new GetObjectCommand({ Bucket, Key }));
  return object.Body?.transformToString();
};

describe('the service', () => {
  it('has everything again after a restart: objects, uploads, policies', async () => {
    const object = { Bucket, Key: 'kept' };
    await emulated.client.send(new PutObjectCommand({ ...object, Body: 'still here' }));
    await emulated.client.send(new CreateMultipartUploadCommand(object));
    emulated.s3.setBucketPolicy(Bucket, {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource: `arn:aws:s3:::${Bucket}/*` },
      ],
    });
    emulated.aws.authorizer.removeResourcePolicy(`arn:aws:s3:::${Bucket}`);
    await emulated.s3.stop();
    await emulated.s3.stop();
    await emulated.s3.start();
    expect(await read('kept')).toBe('still here');
    const uploads = await emulated.client.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(uploads.Uploads).toHaveLength(1);
    const client = emulated.asRole(allow('s3:*'));
    await expect(client.send(new PutObjectCommand({ ...object, Body: 'x' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    emulated.s3.setBucketPolicy(Bucket, undefined);
  });

  it('shows where the bytes of an object are, so that a test can damage them', async () => {
    const put = await emulated.client.send(new PutObjectCommand({ Bucket, Key: 'damaged', Body: 'intact' }));
    const path = emulated.s3.dataFile(Bucket, 'damaged', put.VersionId);
    const bytes = readFileSync(path);
    expect(bytes.toString()).toBe('intact');
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    await expect(read('damaged')).rejects.toThrow(/checksum/i);
    expect(() => emulated.s3.dataFile(Bucket, 'absent')).toThrow('does not exist');
  });

  it('shows the files of all parts of an object', async () => {
    const params = { Bucket, Key: 'parts', Body: Buffer.alloc(6 * 1024 * 1024, 'x') };
    await new Upload({ client: emulated.client, params }).done();
    const files = emulated.s3.dataFiles(Bucket, 'parts');
    expect(files.map(({ size }) => size)).toEqual([5 * 1024 * 1024, 1024 * 1024]);
    for (const { path, size } of files) expect(statSync(path).size).toBe(size);
  });

  it('fails a read of bytes that are gone, instead of answering fewer', async () => {
    await emulated.client.send(new PutObjectCommand({ Bucket, Key: 'cut', Body: 'whole' }));
    writeFileSync(emulated.s3.dataFile(Bucket, 'cut'), 'wh');
    await expect(read('cut')).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    expect(emulated.aws.logged.join('\n')).toContain('too few for what was stored');
  });

  it('serves an object to its end that is deleted while it is read', async () => {
    const Body = Buffer.alloc(20 * 1024 * 1024, 'y');
    const put = await emulated.client.send(new PutObjectCommand({ Bucket, Key: 'read', Body }));
    const object = await emulated.client.send(new GetObjectCommand({ Bucket, Key: 'read' }));
    const path = emulated.s3.dataFile(Bucket, 'read');
    await emulated.aws.endpoint.call({ kind: 'operator', arn: 'operator' }, 's3', 'DeleteObject', {
      Bucket,
      Key: 'read',
      VersionId: put.VersionId,
    });
    expect(statSync(path).size).toBe(Body.length);
    expect(Buffer.from((await object.Body?.transformToByteArray()) ?? []).equals(Body)).toBe(true);
    while (statSync(path, { throwIfNoEntry: false })) await new Promise((resolve) => setTimeout(resolve, 5));
  });
});
