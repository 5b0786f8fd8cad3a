import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf } from '../../../local/s3/checksums/digests.ts';
import { type EmulatedS3, startS3 } from './emulated-s3.ts';

const Bucket = 'multipart';
const mebibyte = 1024 * 1024;
const first = randomBytes(5 * mebibyte);
const second = randomBytes(1234);
const whole = Buffer.concat([first, second]);
const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest();

let emulated: EmulatedS3;

beforeAll(async () => {
  emulated = await startS3();
  emulated.s3.ensureBucket({ name: Bucket, versioning: 'Enabled' });
});
afterAll(() => emulated.close());

async function begin(Key: string, input: Partial<CreateMultipartUploadCommandInput> = {}) {
  const answer = await emulated.client.send(new CreateMultipartUploadCommand({ Bucket, Key, ...input }));
  return { Bucket, Key, UploadId: answer.UploadId };
}
type Begun = Awaited<ReturnType<typeof begin>>;

const upload = (begun: Begun, PartNumber: number, Body: Uint8Array) =>
  emulated.client.send(new UploadPartCommand({ ...begun, PartNumber, Body }));

async function uploadBoth(begun: Begun) {
  const a = await upload(begun, 1, first);
  const b = await upload(begun, 2, second);
  return [
    { PartNumber: 1, ETag: a.ETag, ChecksumCRC32: a.ChecksumCRC32 },
    { PartNumber: 2, ETag: b.ETag, ChecksumCRC32: b.ChecksumCRC32 },
  ];
}
const complete = (begun: Begun, Parts: object[], input: Partial<CompleteMultipartUploadCommandInput> = {}) =>
  emulated.client.send(
    new CompleteMultipartUploadCommand({ ...begun, MultipartUpload: { Parts }, ...input }),
  );
const read = async (Key: string, input: object = {}) => {
  const object = await emulated.client.send(new GetObjectCommand({ Bucket, Key, ...input }));
  return Buffer.from((await object.Body?.transformToByteArray()) ?? []);
};
const files = () =>
  readdirSync(join(emulated.aws.directory, 's3', 'data'), { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.length > 2,
  ).length;

describe('an upload in parts', () => {
  it('becomes one object with the entity tag of its parts', async () => {
    const begun = await begin('joined', { ContentType: 'text/x', Metadata: { a: 'b' }, Tagging: 'k=v' });
    const answer = await complete(begun, await uploadBoth(begun));
    const etag = createHash('md5')
      .update(Buffer.concat([md5(first), md5(second)]))
      .digest('hex');
    expect(answer).toMatchObject({
      Bucket,
      Key: 'joined',
      ETag: `"${etag}-2"`,
      VersionId: expect.any(String),
    });
    expect((await read('joined')).equals(whole)).toBe(true);
    const head = await emulated.client.send(new HeadObjectCommand({ Bucket, Key: 'joined' }));
    expect(head).toMatchObject({
      ContentLength: whole.length,
      ContentType: 'text/x',
      Metadata: { a: 'b' },
      TagCount: 1,
    });
  });

  it('is readable across the seam of its parts and part by part', async () => {
    const range = `bytes=${first.length - 2}-${first.length + 1}`;
    expect(await read('joined', { Range: range })).toEqual(
      whole.subarray(first.length - 2, first.length + 2),
    );
    const part = await emulated.client.send(new GetObjectCommand({ Bucket, Key: 'joined', PartNumber: 2 }));
    expect(part).toMatchObject({
      PartsCount: 2,
      ContentRange: `bytes ${first.length}-${whole.length - 1}/${whole.length}`,
    });
    expect(Buffer.from((await part.Body?.transformToByteArray()) ?? []).equals(second)).toBe(true);
  });

  it('keeps a checksum of the checksums, which GetObjectAttributes tells part by part', async () => {
    const begun = await begin('composite', { ChecksumAlgorithm: 'SHA256' });
    const parts = [];
    for (const [index, Body] of [first, second].entries()) {
      const answer = await emulated.client.send(
        new UploadPartCommand({ ...begun, PartNumber: index + 1, Body, ChecksumAlgorithm: 'SHA256' }),
      );
      parts.push({ PartNumber: index + 1, ETag: answer.ETag, ChecksumSHA256: answer.ChecksumSHA256 });
    }
    const answer = await complete(begun, parts);
    const digests = [first, second].map((bytes) => digestOf('SHA256', bytes));
    const expected = `${digestOf('SHA256', Buffer.concat(digests)).toString('base64')}-2`;
    expect(answer).toMatchObject({ ChecksumSHA256: expected, ChecksumType: 'COMPOSITE' });
    const attributes = await emulated.client.send(
      new GetObjectAttributesCommand({
        Bucket,
        Key: 'composite',
        ObjectAttributes: ['ETag', 'Checksum', 'ObjectParts', 'ObjectSize', 'StorageClass'],
      }),
    );
    expect(attributes).toMatchObject({
      ObjectSize: whole.length,
      StorageClass: 'STANDARD',
      Checksum: { ChecksumSHA256: expected, ChecksumType: 'COMPOSITE' },
      ObjectParts: {
        TotalPartsCount: 2,
        IsTruncated: false,
        Parts: digests.map((digest, index) => ({
          PartNumber: index + 1,
          Size: [first, second][index]?.length,
          ChecksumSHA256: digest.toString('base64'),
        })),
      },
    });
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)(
    'keeps a %s of all bytes, made from those of the parts',
    async (ChecksumAlgorithm) => {
      const Key = `full-${ChecksumAlgorithm}`;
      const begun = await begin(Key, { ChecksumAlgorithm, ChecksumType: 'FULL_OBJECT' });
      const parts = [];
      for (const [index, Body] of [first, second].entries()) {
        const PartNumber = index + 1;
        const { ETag } = await emulated.client.send(
          new UploadPartCommand({ ...begun, PartNumber, Body, ChecksumAlgorithm }),
        );
        parts.push({ PartNumber, ETag });
      }
      const value = digestOf(ChecksumAlgorithm, whole).toString('base64');
      const wrong = digestOf(ChecksumAlgorithm, first).toString('base64');
      const member = `Checksum${ChecksumAlgorithm}`;
      await expect(
        complete(begun, parts, { [member]: wrong, ChecksumType: 'FULL_OBJECT' }),
      ).rejects.toMatchObject({ name: 'BadDigest' });
      await complete(begun, parts, { [member]: value, ChecksumType: 'FULL_OBJECT' });
      const head = await emulated.client.send(
        new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }),
      );
      expect(head).toMatchObject({ [member]: value, ChecksumType: 'FULL_OBJECT' });
      expect((await read(Key, { ChecksumMode: 'ENABLED' })).equals(whole)).toBe(true);
    },
  );

  it('wants the checksum of every part where it was created with one', async () => {
    const begun = await begin('strict', { ChecksumAlgorithm: 'CRC32' });
    await expect(
      emulated.client.send(
        new UploadPartCommand({ ...begun, PartNumber: 1, Body: second, ChecksumAlgorithm: 'SHA1' }),
      ),
    ).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: expect.stringContaining('expected checksum Type: crc32'),
    });
    const [, part] = await uploadBoth(begun);
    await expect(complete(begun, [{ PartNumber: 2, ETag: part?.ETag }])).rejects.toMatchObject({
      message: expect.stringContaining('missing for part 2'),
    });
  });

  it('commits only where nothing is, with If-None-Match', async () => {
    const rivals = await Promise.all([begin('commit'), begin('commit')]);
    const parts = await Promise.all(rivals.map(uploadBoth));
    const results = await Promise.allSettled(
      rivals.map((begun, index) => complete(begun, parts[index] ?? [], { IfNoneMatch: '*' })),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } },
    });
  });

  it('gives the same answer when its completion is repeated', async () => {
    const begun = await begin('repeated');
    const parts = await uploadBoth(begun);
    const answer = await complete(begun, parts, { IfNoneMatch: '*' });
    const again = await complete(begun, parts, { IfNoneMatch: '*' });
    expect(again).toMatchObject({ ETag: answer.ETag, VersionId: answer.VersionId });
  });

  it('refuses parts out of order, unknown parts, wrong tags and parts that are too small', async () => {
    const begun = await begin('faulty');
    const [a, b] = await uploadBoth(begun);
    if (!a || !b) throw new Error('two parts were uploaded');
    const small = await upload(begun, 3, second);
    const third = { PartNumber: 3, ETag: small.ETag, ChecksumCRC32: small.ChecksumCRC32 };
    await expect(complete(begun, [b, a])).rejects.toMatchObject({ name: 'InvalidPartOrder' });
    await expect(complete(begun, [a, a])).rejects.toMatchObject({ name: 'InvalidPartOrder' });
    await expect(complete(begun, [a, { ...b, PartNumber: 9 }])).rejects.toMatchObject({
      name: 'InvalidPart',
    });
    await expect(complete(begun, [{ ...a, ETag: b.ETag }])).rejects.toMatchObject({ name: 'InvalidPart' });
    await expect(complete(begun, [a, b, third])).rejects.toMatchObject({ name: 'EntityTooSmall' });
    await expect(complete(begun, [])).rejects.toMatchObject({ name: 'MalformedXML' });
    await expect(upload(begun, 10_001, second)).rejects.toMatchObject({ name: 'InvalidArgument' });
    await complete(begun, [a, b]);
    await expect(upload(begun, 1, second)).rejects.toMatchObject({ name: 'NoSuchUpload' });
  });

  it('frees the parts that were replaced, left out or aborted', async () => {
    const before = files();
    const begun = await begin('freed');
    await upload(begun, 1, second);
    const parts = await uploadBoth(begun);
    await upload(begun, 7, second);
    expect(files()).toBe(before + 3);
    await complete(begun, parts);
    expect(files()).toBe(before + 2);
    const aborted = await begin('aborted');
    await uploadBoth(aborted);
    await emulated.client.send(new AbortMultipartUploadCommand(aborted));
    expect(files()).toBe(before + 2);
    await expect(emulated.client.send(new AbortMultipartUploadCommand(aborted))).rejects.toMatchObject({
      name: 'NoSuchUpload',
    });
  });

  it('takes ranges of other objects as parts', async () => {
    await emulated.client.send(new PutObjectCommand({ Bucket, Key: 'source', Body: whole }));
    const begun = await begin('assembled');
    const copy = (PartNumber: number, CopySourceRange?: string) =>
      emulated.client.send(
        new UploadPartCopyCommand({
          ...begun,
          PartNumber,
          CopySource: `${Bucket}/source`,
          ...(CopySourceRange && { CopySourceRange }),
        }),
      );
    const a = await copy(1);
    const b = await copy(2, 'bytes=10-19');
    await expect(copy(3, `bytes=0-${whole.length}`)).rejects.toMatchObject({ name: 'InvalidRequest' });
    await complete(begun, [
      { PartNumber: 1, ETag: a.CopyPartResult?.ETag, ChecksumCRC32: a.CopyPartResult?.ChecksumCRC32 },
      { PartNumber: 2, ETag: b.CopyPartResult?.ETag, ChecksumCRC32: b.CopyPartResult?.ChecksumCRC32 },
    ]);
    expect((await read('assembled')).equals(Buffer.concat([whole, whole.subarray(10, 20)]))).toBe(true);
  });
});

describe('listings of uploads', () => {
  it('show parts page by page', async () => {
    const begun = await begin('listed');
    for (const number of [1, 2, 5]) await upload(begun, number, second);
    const page = await emulated.client.send(new ListPartsCommand({ ...begun, MaxParts: 2 }));
    expect(page).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2', MaxParts: 2 });
    const rest = await emulated.client.send(
      new ListPartsCommand({ ...begun, PartNumberMarker: page.NextPartNumberMarker }),
    );
    expect(
      [...(page.Parts ?? []), ...(rest.Parts ?? [])].map(({ PartNumber, Size }) => [PartNumber, Size]),
    ).toEqual([1, 2, 5].map((number) => [number, second.length]));
    await emulated.client.send(new AbortMultipartUploadCommand(begun));
  });

  it('show uploads under way, by key and time, page by page and rolled up', async () => {
    emulated.s3.ensureBucket({ name: 'uploads' });
    const started = [];
    for (const Key of ['b/1', 'a', 'a', 'b/2', 'c']) {
      started.push(await begin(Key, { Bucket: 'uploads' }));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const list = (input: object = {}) =>
      emulated.client.send(new ListMultipartUploadsCommand({ Bucket: 'uploads', ...input }));
    const all = (await list()).Uploads?.map(({ Key, UploadId }) => [Key, UploadId]);
    const [b1, a1, a2, b2, c] = started.map(({ Key, UploadId }) => [Key, UploadId]);
    expect(all).toEqual([a1, a2, b1, b2, c]);
    const page = await list({ MaxUploads: 1 });
    const next = await list({ KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker });
    expect(
      [...(page.Uploads ?? []), ...(next.Uploads ?? [])].map(({ Key, UploadId }) => [Key, UploadId]),
    ).toEqual(all);
    const rolled = await list({ Delimiter: '/', KeyMarker: 'a' });
    expect(rolled.CommonPrefixes).toEqual([{ Prefix: 'b/' }]);
    expect(rolled.Uploads?.map(({ Key }) => Key)).toEqual(['c']);
  });
});

describe('the upload manager of the SDK', () => {
  it.each([
    ['a stream in parts', 12 * mebibyte + 7],
    ['a stream too short for parts', 100],
  ])('stores %s', async (_, size) => {
    const bytes = randomBytes(size);
    const pieces = Array.from({ length: Math.ceil(size / 100_000) }, (_, i) =>
      bytes.subarray(i * 100_000, (i + 1) * 100_000),
    );
    const manager = new Upload({
      client: emulated.client,
      params: { Bucket, Key: `managed-${size}`, Body: Readable.from(pieces) },
      partSize: 5 * mebibyte,
      queueSize: 2,
    });
    await manager.done();
    expect((await read(`managed-${size}`, { ChecksumMode: 'ENABLED' })).equals(bytes)).toBe(true);
  });
});
