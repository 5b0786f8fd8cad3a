import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type EmulatedS3, startS3 } from './emulated-s3.ts';

let emulated: EmulatedS3;
const Bucket = 'versions';

beforeAll(async () => {
  emulated = await startS3();
  emulated.s3.ensureBucket({ name: Bucket, versioning: 'Enabled' });
});
afterAll(() => emulated.close());

const put = async (Key: string, Body: string, bucket = Bucket) =>
  (await emulated.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }))).VersionId;
const remove = (Key: string, VersionId?: string, bucket = Bucket) =>
  emulated.client.send(new DeleteObjectCommand({ Bucket: bucket, Key, ...(VersionId && { VersionId }) }));
const read = async (Key: string, VersionId?: string, bucket = Bucket) => {
  const object = await emulated.client.send(
    new GetObjectCommand({ Bucket: bucket, Key, ...(VersionId && { VersionId }) }),
  );
  return { text: await object.Body?.transformToString(), versionId: object.VersionId };
};
const versionsOf = async (Prefix: string, bucket = Bucket) => {
  const listed = await emulated.client.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix }));
  return { versions: listed.Versions ?? [], markers: listed.DeleteMarkers ?? [] };
};

describe('a versioned bucket', () => {
  it('keeps what is overwritten, under version ids of 32 characters', async () => {
    const first = await put('kept', 'one');
    const second = await put('kept', 'two');
    expect(first).toMatch(/^[A-Za-z0-9_.]{32}$/);
    expect(await read('kept')).toEqual({ text: 'two', versionId: second });
    expect(await read('kept', first)).toEqual({ text: 'one', versionId: first });
    const { versions } = await versionsOf('kept');
    expect(versions.map(({ VersionId, IsLatest }) => [VersionId, IsLatest])).toEqual([
      [second, true],
      [first, false],
    ]);
  });

  it('hides an object behind a delete marker, and shows it again without the marker', async () => {
    const version = await put('hidden', 'here');
    const deleted = await remove('hidden');
    expect(deleted.DeleteMarker).toBe(true);
    const failure = await read('hidden').catch((error) => error);
    expect(failure).toMatchObject({
      name: 'NoSuchKey',
      $response: { headers: { 'x-amz-delete-marker': 'true' } },
    });
    const listed = await emulated.client.send(new ListObjectsV2Command({ Bucket, Prefix: 'hidden' }));
    expect(listed.KeyCount).toBe(0);
    await expect(read('hidden', deleted.VersionId)).rejects.toMatchObject({
      name: 'MethodNotAllowed',
      $metadata: { httpStatusCode: 405 },
    });
    await expect(
      emulated.client.send(new HeadObjectCommand({ Bucket, Key: 'hidden' })),
    ).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } });
    const undeleted = await remove('hidden', deleted.VersionId);
    expect(undeleted).toMatchObject({ DeleteMarker: true, VersionId: deleted.VersionId });
    expect(await read('hidden')).toEqual({ text: 'here', versionId: version });
  });

  it('puts a delete marker on a key that never was', async () => {
    const { VersionId } = await remove('never');
    expect((await versionsOf('never')).markers).toMatchObject([{ VersionId, IsLatest: true }]);
  });

  it('makes the version before the latest when the latest is removed', async () => {
    const first = await put('back', 'one');
    const second = await put('back', 'two');
    await remove('back', second);
    expect(await read('back')).toEqual({ text: 'one', versionId: first });
    await expect(read('back', second)).rejects.toMatchObject({
      name: 'NoSuchVersion',
      $metadata: { httpStatusCode: 404 },
    });
  });

  it('takes the removal of a version that is gone as done, and refuses what is no version id', async () => {
    const version = await put('gone', 'x');
    await remove('gone', version);
    await remove('gone', version);
    await expect(remove('gone', 'nonsense')).rejects.toMatchObject({ name: 'InvalidArgument' });
    await expect(read('gone', 'nonsense')).rejects.toMatchObject({ name: 'InvalidArgument' });
  });

  it('deletes versions and puts markers in one batch', async () => {
    const version = await put('batch-a', 'x');
    await put('batch-b', 'x');
    const answer = await emulated.client.send(
      new DeleteObjectsCommand({
        Bucket,
        Delete: {
          Objects: [
            { Key: 'batch-a', ...(version && { VersionId: version }) },
            { Key: 'batch-b' },
            { Key: 'batch-c', VersionId: 'nonsense' },
          ],
        },
      }),
    );
    expect(answer.Deleted).toEqual([
      { Key: 'batch-a', VersionId: version },
      { Key: 'batch-b', DeleteMarker: true, DeleteMarkerVersionId: expect.stringMatching(/^.{32}$/) },
    ]);
    expect(answer.Errors).toMatchObject([{ Key: 'batch-c', Code: 'InvalidArgument' }]);
    const quiet = await emulated.client.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'batch-b' }], Quiet: true } }),
    );
    expect(quiet.Deleted).toBeUndefined();
  });

  it('lists versions page by page, even when those already listed are deleted meanwhile', async () => {
    const made: (string | undefined)[] = [];
    for (let i = 0; i < 5; i++) made.unshift(await put('paged', `${i}`));
    const seen: (string | undefined)[] = [];
    let markers: { KeyMarker?: string; VersionIdMarker?: string } = {};
    for (;;) {
      const page = await emulated.client.send(
        new ListObjectVersionsCommand({ Bucket, Prefix: 'paged', MaxKeys: 2, ...markers }),
      );
      for (const { VersionId } of page.Versions ?? []) {
        seen.push(VersionId);
        await remove('paged', VersionId);
      }
      if (!page.IsTruncated) break;
      markers = {
        ...(page.NextKeyMarker && { KeyMarker: page.NextKeyMarker }),
        ...(page.NextVersionIdMarker && { VersionIdMarker: page.NextVersionIdMarker }),
      };
    }
    expect(seen).toEqual(made);
  });
});

describe('a bucket whose versioning is suspended', () => {
  const bucket = 'suspended';

  it('replaces only the null version, and keeps versions from before', async () => {
    emulated.s3.ensureBucket({ name: bucket });
    expect(await put('key', 'unversioned', bucket)).toBeUndefined();
    emulated.s3.ensureBucket({ name: bucket, versioning: 'Enabled' });
    const version = await put('key', 'versioned', bucket);
    expect(await read('key', 'null', bucket)).toEqual({ text: 'unversioned', versionId: 'null' });
    emulated.s3.ensureBucket({ name: bucket, versioning: 'Suspended' });
    expect(await put('key', 'again', bucket)).toBe('null');
    expect(await read('key', undefined, bucket)).toEqual({ text: 'again', versionId: 'null' });
    expect((await versionsOf('', bucket)).versions.map(({ VersionId }) => VersionId)).toEqual([
      'null',
      version,
    ]);
    expect(await remove('key', undefined, bucket)).toMatchObject({ DeleteMarker: true, VersionId: 'null' });
    const { versions, markers } = await versionsOf('', bucket);
    expect(versions.map(({ VersionId }) => VersionId)).toEqual([version]);
    expect(markers.map(({ VersionId }) => VersionId)).toEqual(['null']);
  });

  it('stays suspended, not unversioned, when a definition no longer mentions versions', async () => {
    emulated.s3.ensureBucket({ name: bucket });
    expect(await put('other', 'x', bucket)).toBe('null');
  });
});

describe('a bucket without versions', () => {
  it('forgets what is overwritten or deleted, and says nothing of versions', async () => {
    emulated.s3.ensureBucket({ name: 'plain' });
    await put('key', 'one', 'plain');
    await put('key', 'two', 'plain');
    expect((await versionsOf('', 'plain')).versions).toMatchObject([{ VersionId: 'null', IsLatest: true }]);
    const deleted = await remove('key', undefined, 'plain');
    expect(deleted).not.toHaveProperty('VersionId');
    expect(deleted.DeleteMarker).toBeUndefined();
    expect(await versionsOf('', 'plain')).toEqual({ versions: [], markers: [] });
  });
});
