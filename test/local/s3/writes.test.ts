import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type EmulatedS3, startS3 } from './emulated-s3.ts';

let emulated: EmulatedS3;
const Bucket = 'writes';

beforeAll(async () => {
  emulated = await startS3();
  emulated.s3.ensureBucket({ name: Bucket });
  emulated.s3.ensureBucket({ name: 'versioned', versioning: 'Enabled' });
});
afterAll(() => emulated.close());

const put = (input: Partial<PutObjectCommandInput>) =>
  emulated.client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'body', ...input }));
const exists = (Key: string) =>
  emulated.client.send(new HeadObjectCommand({ Bucket, Key })).then(
    () => true,
    () => false,
  );
/** Sends a PUT with headers that the SDK would not send. */
function putWith(key: string, headers: Record<string, string>) {
  const command = new PutObjectCommand({ Bucket, Key: key, Body: 'body' });
  command.middlewareStack.add(
    (next) => (args) => {
      const { request } = args;
      if (request instanceof Object && 'headers' in request) Object.assign(request.headers ?? {}, headers);
      return next(args);
    },
    { step: 'build', priority: 'low' },
  );
  return emulated.plainClient.send(command);
}

describe('conditional writes', () => {
  it('writes with If-None-Match only where nothing is', async () => {
    await put({ Key: 'once', IfNoneMatch: '*' });
    await expect(put({ Key: 'once', Body: 'second', IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
      Condition: 'If-None-Match',
      $metadata: { httpStatusCode: 412 },
    });
    const object = await emulated.client.send(new GetObjectCommand({ Bucket, Key: 'once' }));
    expect(await object.Body?.transformToString()).toBe('body');
  });

  it('lets exactly one of many concurrent writers win', async () => {
    const attempts = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        put({ Key: 'raced', Body: `writer ${index}`, IfNoneMatch: '*' }),
      ),
    );
    const winners = attempts.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
    expect(winners).toHaveLength(1);
    const object = await emulated.client.send(new GetObjectCommand({ Bucket, Key: 'raced' }));
    expect(await object.Body?.transformToString()).toBe(`writer ${winners[0]}`);
  });

  it('writes with If-Match only over what was expected', async () => {
    await expect(put({ Key: 'swap', IfMatch: '"none"' })).rejects.toMatchObject({ name: 'NoSuchKey' });
    const first = await put({ Key: 'swap' });
    await expect(put({ Key: 'swap', Body: 'x', IfMatch: '"other"' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    await put({ Key: 'swap', Body: 'second', IfMatch: first.ETag });
    await expect(put({ Key: 'swap', Body: 'third', IfMatch: first.ETag })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
  });

  it('counts a delete marker as nothing', async () => {
    const versioned = { Bucket: 'versioned', Key: 'marked' };
    await put({ ...versioned });
    await emulated.client.send(new DeleteObjectCommand(versioned));
    await put({ ...versioned, IfNoneMatch: '*' });
  });

  it('offers no other If-None-Match than *, as S3', async () => {
    await expect(put({ IfNoneMatch: '"etag"' })).rejects.toMatchObject({ name: 'NotImplemented' });
  });

  it('deletes with If-Match only what was expected', async () => {
    const { ETag } = await put({ Key: 'guarded' });
    const remove = (IfMatch: string) =>
      emulated.client.send(new DeleteObjectCommand({ Bucket, Key: 'guarded', IfMatch }));
    await expect(remove('"other"')).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await remove(ETag ?? '');
    expect(await exists('guarded')).toBe(false);
  });
});

describe('integrity of a write', () => {
  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    'checks and keeps a %s that the SDK computes',
    async (ChecksumAlgorithm) => {
      const Body = randomBytes(100_000);
      const answer = await put({ Key: ChecksumAlgorithm, Body, ChecksumAlgorithm });
      const head = await emulated.client.send(
        new HeadObjectCommand({ Bucket, Key: ChecksumAlgorithm, ChecksumMode: 'ENABLED' }),
      );
      const member = `Checksum${ChecksumAlgorithm}` as const;
      expect(head[member]).toBeTruthy();
      expect(head[member]).toBe(answer[member]);
      expect(head.ChecksumType).toBe('FULL_OBJECT');
      const object = await emulated.client.send(
        new GetObjectCommand({ Bucket, Key: ChecksumAlgorithm, ChecksumMode: 'ENABLED' }),
      );
      expect(Buffer.from((await object.Body?.transformToByteArray()) ?? []).equals(Body)).toBe(true);
    },
  );

  it('checks the trailing checksum of a stream', async () => {
    const bytes = randomBytes(300_000);
    const pieces = [bytes.subarray(0, 100_000), bytes.subarray(100_000)];
    const answer = await put({ Key: 'stream', Body: Readable.from(pieces), ContentLength: bytes.length });
    expect(answer.ChecksumCRC32).toBeTruthy();
    expect(answer.ETag).toBe(`"${createHash('md5').update(bytes).digest('hex')}"`);
  });

  it('keeps a CRC-64 of its own where the client gives no checksum', async () => {
    const client = emulated.plainClient;
    await client.send(new PutObjectCommand({ Bucket, Key: 'bare', Body: '123456789' }));
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'bare', ChecksumMode: 'ENABLED' }));
    expect(Buffer.from(head.ChecksumCRC64NVME ?? '', 'base64').toString('hex')).toBe('ae8b14860a799888');
  });

  it.each<[string, Partial<PutObjectCommandInput>]>([
    ['checksum', { ChecksumSHA256: Buffer.alloc(32).toString('base64') }],
    ['CRC', { ChecksumCRC32: 'AAAAAA==' }],
    ['Content-MD5', { ContentMD5: Buffer.alloc(16).toString('base64') }],
  ])('refuses bytes that do not match their %s, and stores nothing', async (_, input) => {
    await expect(put({ Key: 'broken', ...input })).rejects.toMatchObject({
      name: 'BadDigest',
      $metadata: { httpStatusCode: 400 },
    });
    expect(await exists('broken')).toBe(false);
  });

  it.each<[string, Record<string, string>, string]>([
    ['a checksum of the wrong length', { 'x-amz-checksum-crc32': 'AAAA' }, 'InvalidRequest'],
    [
      'two checksums',
      { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-crc32c': 'AAAAAA==' },
      'InvalidRequest',
    ],
    ['an announced checksum that is missing', { 'x-amz-sdk-checksum-algorithm': 'CRC32' }, 'InvalidRequest'],
    ['a Content-MD5 that is none', { 'content-md5': 'nonsense' }, 'InvalidDigest'],
  ])('refuses %s', async (_, headers, name) => {
    await expect(putWith('malformed', headers)).rejects.toMatchObject({
      name,
      $metadata: { httpStatusCode: 400 },
    });
    expect(await exists('malformed')).toBe(false);
  });

  it('names a checksum algorithm that is not emulated', async () => {
    await expect(putWith('xx', { 'x-amz-checksum-xxhash64': 'AAAAAAAAAAA=' })).rejects.toMatchObject({
      name: 'NotEmulated',
      message: expect.stringContaining('XXHASH64'),
    });
  });
});

describe('what S3 refuses of a write', () => {
  it.each<[string, Partial<PutObjectCommandInput>, string]>([
    ['metadata beyond 2 KB', { Metadata: { big: 'x'.repeat(2048) } }, 'MetadataTooLarge'],
    ['a public access control list', { ACL: 'public-read' }, 'AccessControlListNotSupported'],
    [
      'more than ten tags',
      { Tagging: Array.from({ length: 11 }, (_, i) => `k${i}=v`).join('&') },
      'BadRequest',
    ],
    ['a tag twice', { Tagging: 'a=1&a=2' }, 'InvalidTag'],
    ['keys of the customer, which are not emulated', { SSECustomerAlgorithm: 'AES256' }, 'NotEmulated'],
  ])('refuses %s', async (_, input, name) => {
    await expect(put({ Key: 'refused', ...input })).rejects.toMatchObject({ name });
    expect(await exists('refused')).toBe(false);
  });

  it('refuses a body of unknown length, which S3 cannot take', async () => {
    const command = new PutObjectCommand({ Bucket, Key: 'unknown' });
    const response = await fetch(await getSignedUrl(emulated.plainClient, command), {
      method: 'PUT',
      body: Readable.toWeb(Readable.from([Buffer.from('abc')])) as ReadableStream,
      duplex: 'half',
    });
    expect(response.status).toBe(501);
    expect(await response.text()).toContain('Transfer-Encoding');
  });

  it('keeps nothing of an upload whose client goes away', async () => {
    const staging = join(emulated.aws.directory, 's3', 'staging');
    const command = new PutObjectCommand({ Bucket, Key: 'cut' });
    const client = request(await getSignedUrl(emulated.plainClient, command), {
      method: 'PUT',
      headers: { 'content-length': 3_000_000 },
    });
    client.on('error', () => undefined);
    client.write(randomBytes(2_000_000));
    await until(() => readdirSync(staging).length === 1);
    client.destroy();
    await until(() => readdirSync(staging).length === 0);
    expect(await exists('cut')).toBe(false);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}
