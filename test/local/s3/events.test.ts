import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type EmulatedS3, startS3 } from './emulated-s3.ts';

const Bucket = 'eventful';
let emulated: EmulatedS3;

beforeAll(async () => {
  emulated = await startS3();
  emulated.s3.ensureBucket({
    name: Bucket,
    versioning: 'Enabled',
    eventBridge: true,
    lifecycle: [{ id: 'x', enabled: true, prefix: 'old', expiration: { days: 1 } }],
  });
  emulated.s3.ensureBucket({ name: 'silent' });
});
afterAll(() => emulated.close());
beforeEach(() => {
  emulated.events.length = 0;
});

const put = (Key: string, bucket = Bucket) =>
  emulated.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'four' }));
const summary = () =>
  emulated.events.map(({ 'detail-type': type, detail }) => [type, detail.reason, detail['deletion-type']]);

describe('object events', () => {
  it('have the shape in which EventBridge gets them from S3', async () => {
    const stored = await put('dir/a b.txt');
    expect(emulated.events).toEqual([
      {
        version: '0',
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        'detail-type': 'Object Created',
        source: 'aws.s3',
        account: '000000000000',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        region: 'us-east-1',
        resources: ['arn:aws:s3:::eventful'],
        detail: {
          version: '0',
          bucket: { name: Bucket },
          object: {
            key: 'dir/a b.txt',
            size: 4,
            etag: stored.ETag?.replaceAll('"', ''),
            'version-id': stored.VersionId,
            sequencer: expect.stringMatching(/^[0-9A-F]{18}$/),
          },
          'request-id': stored.$metadata.requestId,
          requester: '000000000000',
          'source-ip-address': '127.0.0.1',
          reason: 'PutObject',
        },
      },
    ]);
  });

  it('tell by which operation an object came', async () => {
    await put('source');
    await emulated.client.send(
      new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/source` }),
    );
    const params = { Bucket, Key: 'parts', Body: Buffer.alloc(6 * 1024 * 1024) };
    await new Upload({ client: emulated.client, params }).done();
    expect(summary()).toEqual([
      ['Object Created', 'PutObject', undefined],
      ['Object Created', 'CopyObject', undefined],
      ['Object Created', 'CompleteMultipartUpload', undefined],
    ]);
  });

  it('tell a delete marker from a deletion for good', async () => {
    const { VersionId } = await put('doomed');
    await emulated.client.send(new DeleteObjectCommand({ Bucket, Key: 'doomed' }));
    const Objects = [{ Key: 'doomed', ...(VersionId && { VersionId }) }];
    await emulated.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(summary().slice(1)).toEqual([
      ['Object Deleted', 'DeleteObject', 'Delete Marker Created'],
      ['Object Deleted', 'DeleteObject', 'Permanently Deleted'],
    ]);
  });

  it('come from lifecycle rules as well', async () => {
    await put('old');
    emulated.events.length = 0;
    await emulated.s3.applyLifecycle(Date.now() + 3 * 86_400_000);
    expect(summary()).toEqual([['Object Deleted', 'Lifecycle Expiration', 'Delete Marker Created']]);
  });

  it('do not come from a write that failed or from a bucket that sends none', async () => {
    await put('unique');
    emulated.events.length = 0;
    await expect(
      emulated.client.send(new PutObjectCommand({ Bucket, Key: 'unique', Body: 'x', IfNoneMatch: '*' })),
    ).rejects.toThrow();
    await put('key', 'silent');
    expect(emulated.events).toEqual([]);
  });
});
