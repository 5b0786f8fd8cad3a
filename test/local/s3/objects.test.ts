import { createHash } from 'node:crypto';
import {
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type EmulatedS3, startS3 } from './emulated-s3.ts';

const Bucket = 'objects';
let emulated: EmulatedS3;

beforeAll(async () => {
  emulated = await startS3();
  emulated.s3.ensureBucket({ name: Bucket });
  emulated.clock.now = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  await emulated.client.send(
    new PutObjectCommand({
      Bucket,
      Key: 'digits',
      Body: '0123456789',
      ContentType: 'text/plain',
      CacheControl: 'max-age=60',
      ContentDisposition: 'attachment',
      ContentEncoding: 'identity',
      ContentLanguage: 'en',
      Metadata: { origin: 'test', Upper: 'Case' },
      StorageClass: 'STANDARD_IA',
    }),
  );
  emulated.clock.now = undefined;
  await emulated.client.send(new PutObjectCommand({ Bucket, Key: 'empty', Body: new Uint8Array(0) }));
});
afterAll(() => emulated.close());

const get = (input: Partial<GetObjectCommandInput> = {}) =>
  emulated.client.send(new GetObjectCommand({ Bucket, Key: 'digits', ...input }));

describe('reading an object', () => {
  it('gives back bytes, headers and metadata as they were put', async () => {
    const object = await get();
    expect(await object.Body?.transformToString()).toBe('0123456789');
    expect(object).toMatchObject({
      ContentLength: 10,
      ContentType: 'text/plain',
      CacheControl: 'max-age=60',
      ContentDisposition: 'attachment',
      ContentEncoding: 'identity',
      ContentLanguage: 'en',
      Metadata: { origin: 'test', upper: 'Case' },
      StorageClass: 'STANDARD_IA',
      ServerSideEncryption: 'AES256',
      AcceptRanges: 'bytes',
      ETag: `"${createHash('md5').update('0123456789').digest('hex')}"`,
      LastModified: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)),
    });
    expect(object.VersionId).toBeUndefined();
  });

  it('gives an empty object, of the type S3 assumes', async () => {
    const object = await get({ Key: 'empty' });
    expect(await object.Body?.transformToString()).toBe('');
    expect(object).toMatchObject({ ContentLength: 0, ContentType: 'application/octet-stream' });
  });

  it('heads without a body, with the same headers', async () => {
    const head = await emulated.client.send(new HeadObjectCommand({ Bucket, Key: 'digits' }));
    expect(head).toMatchObject({ ContentLength: 10, Metadata: { origin: 'test' } });
  });

  it.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-99', '0123456789', 'bytes 0-9/10'],
    ['bytes=8-99', '89', 'bytes 8-9/10'],
    ['bytes=0-0', '0', 'bytes 0-0/10'],
  ])('answers the range %s', async (Range, expected, contentRange) => {
    const object = await get({ Range });
    expect(await object.Body?.transformToString()).toBe(expected);
    expect(object).toMatchObject({ ContentRange: contentRange, ContentLength: expected.length });
    expect(object.$metadata.httpStatusCode).toBe(206);
  });

  it.each(['bytes=4-2', 'bytes=1-2,4-5', 'lines=1-2', 'bytes=-'])(
    'ignores %s, which is no single range of bytes',
    async (Range) => {
      const object = await get({ Range });
      expect(object.$metadata.httpStatusCode).toBe(200);
      expect(await object.Body?.transformToString()).toBe('0123456789');
    },
  );

  it('refuses a range behind the end, and any range of an empty object', async () => {
    await expect(get({ Range: 'bytes=10-' })).rejects.toMatchObject({
      name: 'InvalidRange',
      $metadata: { httpStatusCode: 416 },
    });
    await expect(get({ Key: 'empty', Range: 'bytes=0-' })).rejects.toMatchObject({ name: 'InvalidRange' });
    await expect(get({ Range: 'bytes=-0' })).rejects.toMatchObject({ name: 'InvalidRange' });
  });

  it('takes an object in one piece as its only part', async () => {
    const object = await get({ PartNumber: 1 });
    expect(object).toMatchObject({ ContentRange: 'bytes 0-9/10', ContentLength: 10 });
    await object.Body?.transformToString();
    await expect(get({ PartNumber: 2 })).rejects.toMatchObject({ name: 'InvalidPartNumber' });
  });

  it('replaces headers of the answer on request', async () => {
    const object = await get({
      ResponseContentType: 'text/html',
      ResponseCacheControl: 'no-store',
      ResponseContentDisposition: 'inline; filename="x.html"',
    });
    await object.Body?.transformToString();
    expect(object).toMatchObject({
      ContentType: 'text/html',
      CacheControl: 'no-store',
      ContentDisposition: 'inline; filename="x.html"',
    });
  });

  it('says NoSuchKey and NoSuchBucket for what is not there', async () => {
    await expect(get({ Key: 'absent' })).rejects.toMatchObject({
      name: 'NoSuchKey',
      $metadata: { httpStatusCode: 404 },
    });
    await expect(get({ Bucket: 'absent' })).rejects.toMatchObject({
      name: 'NoSuchBucket',
      $metadata: { httpStatusCode: 404 },
    });
    await expect(
      emulated.client.send(new HeadObjectCommand({ Bucket, Key: 'absent' })),
    ).rejects.toMatchObject({ name: 'NotFound', $metadata: { httpStatusCode: 404 } });
  });

  it('reads through a presigned URL, and writes through one', async () => {
    const read = await getSignedUrl(
      emulated.client,
      new GetObjectCommand({ Bucket, Key: 'digits', ResponseContentType: 'text/css' }),
    );
    const response = await fetch(read, { headers: { range: 'bytes=0-1' } });
    expect(response.headers.get('content-type')).toBe('text/css');
    expect(await response.text()).toBe('01');
    const write = await getSignedUrl(emulated.plainClient, new PutObjectCommand({ Bucket, Key: 'signed' }));
    const put = await fetch(write, { method: 'PUT', body: 'by url' });
    expect(put.status).toBe(200);
    const object = await get({ Key: 'signed' });
    expect(await object.Body?.transformToString()).toBe('by url');
  });
});

describe('conditions of a read', () => {
  const etag = `"${createHash('md5').update('0123456789').digest('hex')}"`;
  const before = new Date(Date.UTC(2026, 0, 1));
  const same = new Date(Date.UTC(2026, 0, 2, 3, 4, 5));

  it.each<[string, Partial<GetObjectCommandInput>]>([
    ['the entity tag is the expected one', { IfMatch: etag }],
    ['any entity tag is expected', { IfMatch: '*' }],
    ['one of several is expected', { IfMatch: `"x", ${etag}` }],
    ['the entity tag is another', { IfNoneMatch: '"other"' }],
    ['it changed since', { IfModifiedSince: before }],
    ['it has not changed since', { IfUnmodifiedSince: same }],
    ['the entity tag is right, whatever the date', { IfMatch: etag, IfUnmodifiedSince: before }],
    ['the entity tag is another, whatever the date', { IfNoneMatch: '"other"', IfModifiedSince: same }],
  ])('answers where %s', async (_, condition) => {
    const object = await get(condition);
    expect(await object.Body?.transformToString()).toBe('0123456789');
  });

  it.each<[string, Partial<GetObjectCommandInput>]>([
    ['the entity tag is known', { IfNoneMatch: etag }],
    ['any is known', { IfNoneMatch: '*' }],
    ['it has not changed since', { IfModifiedSince: same }],
  ])('answers 304 where %s', async (_, condition) => {
    await expect(get(condition)).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
  });

  it.each<[string, Partial<GetObjectCommandInput>]>([
    ['the entity tag is not the expected one', { IfMatch: '"other"' }],
    ['it changed since', { IfUnmodifiedSince: before }],
  ])('answers 412 where %s', async (_, condition) => {
    await expect(get(condition)).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    });
  });
});
