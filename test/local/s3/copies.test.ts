import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type StorageClass,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type EmulatedS3, startS3 } from './emulated-s3.ts';

const Bucket = 'copies';
let emulated: EmulatedS3;
let firstVersion: string | undefined;

beforeAll(async () => {
  emulated = await startS3();
  emulated.s3.ensureBucket({ name: Bucket, versioning: 'Enabled' });
  const source = { Bucket, Key: 'source with space+plus/ü' };
  const put = await emulated.client.send(new PutObjectCommand({ ...source, Body: 'old' }));
  firstVersion = put.VersionId;
  await emulated.client.send(
    new PutObjectCommand({
      ...source,
      Body: 'new',
      ContentType: 'text/plain',
      Metadata: { kept: 'yes' },
      Tagging: 'kept=yes',
    }),
  );
});
afterAll(() => emulated.close());

const encoded = `${Bucket}/${encodeURIComponent('source with space+plus/ü')}`;
const copy = (input: Partial<CopyObjectCommandInput> = {}) =>
  emulated.client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: encoded, ...input }));
const read = async (Key = 'copy') => {
  const object = await emulated.client.send(new GetObjectCommand({ Bucket, Key }));
  return { text: await object.Body?.transformToString(), object };
};

describe('a copy', () => {
  it('has the bytes, headers, metadata and tags of its source', async () => {
    const answer = await copy();
    expect(answer.CopyObjectResult).toMatchObject({
      ETag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
      LastModified: expect.any(Date),
      ChecksumCRC32: expect.any(String),
    });
    expect(answer.CopySourceVersionId).toMatch(/^.{32}$/);
    const { text, object } = await read();
    expect(text).toBe('new');
    expect(object).toMatchObject({ ContentType: 'text/plain', Metadata: { kept: 'yes' } });
    const tagging = await emulated.client.send(new GetObjectTaggingCommand({ Bucket, Key: 'copy' }));
    expect(tagging.TagSet).toEqual([{ Key: 'kept', Value: 'yes' }]);
  });

  it('may have metadata and tags of its own', async () => {
    await copy({
      Key: 'replaced',
      MetadataDirective: 'REPLACE',
      TaggingDirective: 'REPLACE',
      Metadata: { own: '1' },
      ContentType: 'text/x',
      Tagging: 'own=1',
    });
    const { object } = await read('replaced');
    expect(object).toMatchObject({ ContentType: 'text/x', Metadata: { own: '1' } });
    const tagging = await emulated.client.send(new GetObjectTaggingCommand({ Bucket, Key: 'replaced' }));
    expect(tagging.TagSet).toEqual([{ Key: 'own', Value: '1' }]);
  });

  it('can be of an older version', async () => {
    await copy({ Key: 'older', CopySource: `/${encoded}?versionId=${firstVersion}` });
    expect((await read('older')).text).toBe('old');
  });

  it('does not share its bytes with the source', async () => {
    await copy({ Key: 'own-bytes' });
    const paths = [
      emulated.s3.dataFile(Bucket, 'own-bytes'),
      emulated.s3.dataFile(Bucket, 'source with space+plus/ü'),
    ];
    expect(new Set(paths).size).toBe(2);
  });

  it('onto itself has to change something', async () => {
    const Key = 'source with space+plus/ü';
    await expect(copy({ Key })).rejects.toMatchObject({ name: 'InvalidRequest' });
    const StorageClass: StorageClass = 'STANDARD_IA';
    await copy({ Key, StorageClass });
    const head = await emulated.client.send(new HeadObjectCommand({ Bucket, Key }));
    expect(head.StorageClass).toBe(StorageClass);
  });

  it('obeys conditions on its source and on its target', async () => {
    await expect(copy({ CopySourceIfMatch: '"other"' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
    await expect(copy({ CopySourceIfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await expect(copy({ IfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await copy({ Key: 'fresh', IfNoneMatch: '*' });
  });

  it('of nothing is refused', async () => {
    await expect(copy({ CopySource: `${Bucket}/absent` })).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(copy({ CopySource: 'nothing' })).rejects.toMatchObject({ name: 'InvalidArgument' });
  });
});
