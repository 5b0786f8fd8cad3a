import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Principal } from '../../../local/aws/operation.ts';
import { allow, rolePolicies, testRole } from '../aws/emulated-aws.ts';
import { type EmulatedS3, startS3 } from './emulated-s3.ts';

const Bucket = 'in-process';
const role: Principal = {
  kind: 'role',
  arn: 'arn:aws:sts::000000000000:assumed-role/test-role/workflow',
  roleArn: testRole,
};
let emulated: EmulatedS3;

beforeAll(async () => {
  emulated = await startS3();
  emulated.s3.ensureBucket({ name: Bucket, versioning: 'Enabled' });
  emulated.aws.authorizer.setRole(testRole, rolePolicies([allow('s3:*')]));
});
afterAll(() => emulated.close());

const call = (operation: string, input: Record<string, unknown>, principal = role) =>
  emulated.aws.endpoint.call(principal, 's3', operation, input);

describe('calls to S3 from a workflow', () => {
  it('write, read, list and delete as over HTTP', async () => {
    const Key = 'dir/ü +&?.json';
    const put = await call('PutObject', { Bucket, Key, Body: '[1,2]', ContentType: 'application/json' });
    expect(put).toMatchObject({ ETag: expect.any(String), VersionId: expect.any(String) });
    const object = await call('GetObject', { Bucket, Key });
    expect(object).toMatchObject({
      ContentType: 'application/json',
      ContentLength: 5,
      Body: Buffer.from('[1,2]'),
    });
    expect(await call('GetObject', { Bucket, Key, Range: 'bytes=1-1' })).toMatchObject({
      Body: Buffer.from('1'),
    });
    expect(await call('HeadObject', { Bucket, Key })).not.toHaveProperty('Body');
    expect(await call('ListObjectsV2', { Bucket, Prefix: 'dir/' })).toMatchObject({
      KeyCount: 1,
      IsTruncated: false,
      Contents: [{ Key, Size: 5, LastModified: expect.any(Date) }],
    });
    expect(await call('DeleteObject', { Bucket, Key })).toMatchObject({ DeleteMarker: true });
    await expect(call('GetObject', { Bucket, Key })).rejects.toMatchObject({ code: 'NoSuchKey' });
  });

  it('need the same permissions', async () => {
    const denied: Principal = { ...role, roleArn: 'arn:aws:iam::000000000000:role/other' };
    await expect(call('PutObject', { Bucket, Key: 'k', Body: 'x' }, denied)).rejects.toMatchObject({
      code: 'AccessDenied',
      message: expect.stringContaining('s3:PutObject'),
    });
  });

  it('are refused where they say more than is understood', async () => {
    const input = { Bucket, Key: 'k', Body: 'x', Tagging: 'a=b' };
    await expect(call('PutObject', input)).rejects.toMatchObject({
      code: 'ValidationException',
      message: expect.stringContaining('Tagging'),
    });
    await expect(call('GetObject', { Bucket })).rejects.toMatchObject({ code: 'ValidationException' });
  });

  it('name what is not there for them', async () => {
    await expect(call('CopyObject', {})).rejects.toMatchObject({ code: 'NotEmulated' });
  });
});
