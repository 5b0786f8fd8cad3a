import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { BucketDefinition, LifecycleRule } from '../../../local/s3/model.ts';
import { dueAt } from '../../../local/s3/store/lifecycle.ts';
import { type EmulatedS3, startS3 } from './emulated-s3.ts';

const day = 86_400_000;
const start = Date.UTC(2026, 5, 1, 12);
let emulated: EmulatedS3;
let Bucket: string;
let count = 0;

beforeAll(async () => {
  emulated = await startS3();
});
afterAll(() => emulated.close());
beforeEach(() => {
  emulated.clock.now = start;
  Bucket = `lifecycle-${count++}`;
});

const define = (rules: Partial<LifecycleRule>[], definition: Partial<BucketDefinition> = {}) =>
  emulated.s3.ensureBucket({
    name: Bucket,
    versioning: 'Enabled',
    lifecycle: rules.map((rule, index) => ({ id: `rule ${index}`, enabled: true, ...rule })),
    ...definition,
  });
const put = (Key: string, input: Partial<PutObjectCommandInput> = {}) =>
  emulated.client.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ...input }));
const listed = async () => {
  const { Versions = [], DeleteMarkers = [] } = await emulated.client.send(
    new ListObjectVersionsCommand({ Bucket }),
  );
  return { versions: Versions.map(({ Key }) => Key), markers: DeleteMarkers.map(({ Key }) => Key) };
};
const daysLater = (days: number) => emulated.s3.applyLifecycle(start + days * day);

describe('lifecycle rules', () => {
  it('count days to the next midnight', () => {
    expect(dueAt(Date.UTC(2026, 0, 1, 10, 30), 3)).toBe(Date.UTC(2026, 0, 5));
    expect(dueAt(Date.UTC(2026, 0, 1), 3)).toBe(Date.UTC(2026, 0, 4));
  });

  it('put a delete marker on objects that expire, under their prefix only', async () => {
    define([{ prefix: 'tmp/', expiration: { days: 2 } }]);
    await put('tmp/a');
    await put('kept');
    expect(await daysLater(2)).toMatchObject({ expired: 0 });
    expect(await daysLater(3)).toMatchObject({ expired: 1 });
    expect(await listed()).toEqual({ versions: ['kept', 'tmp/a'], markers: ['tmp/a'] });
    expect(await daysLater(3)).toMatchObject({ expired: 0 });
  });

  it('remove expired objects for good where there are no versions', async () => {
    Bucket = `unversioned-${count}`;
    emulated.s3.ensureBucket({
      name: Bucket,
      lifecycle: [{ id: 'all', enabled: true, expiration: { days: 1 } }],
    });
    await put('gone');
    await daysLater(2);
    expect(await listed()).toEqual({ versions: [], markers: [] });
  });

  it('remove old versions by their age as old versions, but for as many as shall stay', async () => {
    define([{ noncurrentVersionExpiration: { noncurrentDays: 1, newerNoncurrentVersions: 1 } }]);
    for (let i = 0; i < 4; i++) await put('key');
    expect(await daysLater(1)).toMatchObject({ noncurrentRemoved: 0 });
    expect(await daysLater(2)).toMatchObject({ noncurrentRemoved: 2 });
    expect((await listed()).versions).toEqual(['key', 'key']);
  });

  it('remove delete markers that hide nothing any more', async () => {
    define([
      { noncurrentVersionExpiration: { noncurrentDays: 1 }, expiration: { expiredObjectDeleteMarker: true } },
    ]);
    await put('key');
    await emulated.client.send(new DeleteObjectCommand({ Bucket, Key: 'key' }));
    expect(await daysLater(2)).toMatchObject({ noncurrentRemoved: 1, deleteMarkersRemoved: 1 });
    expect(await listed()).toEqual({ versions: [], markers: [] });
  });

  it('abort uploads that were not completed', async () => {
    define([{ abortIncompleteMultipartUpload: { daysAfterInitiation: 1 } }]);
    await emulated.client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'started' }));
    expect(await daysLater(1)).toMatchObject({ uploadsAborted: 0 });
    expect(await daysLater(2)).toMatchObject({ uploadsAborted: 1 });
    const uploads = await emulated.client.send(new ListMultipartUploadsCommand({ Bucket }));
    expect(uploads.Uploads).toBeUndefined();
  });

  it('leave versions under Object Lock alone', async () => {
    define([{ noncurrentVersionExpiration: { noncurrentDays: 1 } }], {
      objectLock: true,
      defaultRetention: { mode: 'GOVERNANCE', days: 30 },
    });
    await put('key');
    await put('key');
    expect(await daysLater(5)).toMatchObject({ noncurrentRemoved: 0 });
    emulated.clock.now = start + 40 * day;
    expect(await emulated.s3.applyLifecycle()).toMatchObject({ noncurrentRemoved: 1 });
  });

  it('look at tags and sizes, and at nothing while disabled', async () => {
    define([
      { tags: { temporary: 'yes' }, expiration: { days: 1 } },
      { sizeGreaterThan: 3, expiration: { days: 1 } },
      { enabled: false, expiration: { days: 1 } },
    ]);
    await put('tagged', { Tagging: 'temporary=yes' });
    await put('large', { Body: 'xxxx' });
    await put('other', { Tagging: 'temporary=no' });
    expect(await daysLater(3)).toMatchObject({ expired: 2 });
    expect((await listed()).markers).toEqual(['large', 'tagged']);
  });

  it('move objects to other storage classes, from an archive of which none is read', async () => {
    define([
      {
        transitions: [
          { days: 1, storageClass: 'STANDARD_IA' },
          { days: 5, storageClass: 'GLACIER' },
        ],
      },
    ]);
    await put('key');
    expect(await daysLater(2)).toMatchObject({ transitioned: 1 });
    const head = await emulated.client.send(new HeadObjectCommand({ Bucket, Key: 'key' }));
    expect(head.StorageClass).toBe('STANDARD_IA');
    await daysLater(6);
    await expect(emulated.client.send(new GetObjectCommand({ Bucket, Key: 'key' }))).rejects.toMatchObject({
      name: 'InvalidObjectState',
    });
  });

  it('go through many keys', async () => {
    define([{ expiration: { days: 1 } }]);
    await Promise.all(Array.from({ length: 520 }, (_, i) => put(`key-${i}`)));
    expect(await daysLater(2)).toMatchObject({ expired: 520 });
  });
});
