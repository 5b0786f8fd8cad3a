import {
  DeleteObjectsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { listPage } from '../../../local/s3/store/listing.ts';
import { type EmulatedS3, startS3 } from './emulated-s3.ts';

const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** What a listing shows, the slow way. */
function expectedListing(keys: readonly string[], prefix: string, delimiter: string | undefined) {
  const items: string[] = [];
  for (const key of keys.filter((candidate) => candidate.startsWith(prefix)).sort(compare)) {
    const position = delimiter ? key.indexOf(delimiter, prefix.length) : -1;
    const item = position < 0 ? `key ${key}` : `prefix ${key.slice(0, position + (delimiter ?? '').length)}`;
    if (!items.includes(item)) items.push(item);
  }
  return items;
}

describe('a page of a listing', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '/', 'é', '😀', '\u0000'), maxLength: 6 });

  it('continues where the last one ended, and all pages together show everything once', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(
          key.filter((value) => value !== ''),
          { maxLength: 25 },
        ),
        fc.constantFrom('', 'a', 'a/', '/', 'é'),
        fc.constantFrom(undefined, '/', 'b', 'a/'),
        fc.integer({ min: 1, max: 5 }),
        (keys, prefix, delimiter, limit) => {
          const sorted = keys.map((name) => ({ key: name })).sort((a, b) => compare(a.key, b.key));
          const scan = (from: Buffer, to: Buffer) =>
            sorted.filter(
              (entry) =>
                Buffer.compare(Buffer.from(entry.key), from) >= 0 &&
                Buffer.compare(Buffer.from(entry.key), to) < 0,
            );
          const shown: string[] = [];
          let after: string | undefined;
          for (let truncated = true; truncated; ) {
            const page = listPage({ prefix, delimiter, limit, after, scan });
            expect(page.entries.length + page.commonPrefixes.length).toBeLessThanOrEqual(limit);
            const items = [
              ...page.entries.map((entry) => [entry.key, `key ${entry.key}`] as const),
              ...page.commonPrefixes.map((name) => [name, `prefix ${name}`] as const),
            ].sort(([a], [b]) => compare(a, b));
            shown.push(...items.map(([, item]) => item));
            truncated = page.truncated;
            after = page.last && ('entry' in page.last ? page.last.entry.key : page.last.commonPrefix);
          }
          expect(shown).toEqual(expectedListing(keys, prefix, delimiter));
        },
      ),
    );
  });
});

describe('listings', () => {
  const Bucket = 'listings';
  const keys = ['asdf', 'boo/bar', 'boo/baz/xyzzy', 'cquux/bla', 'cquux/thud', 'zz top', 'ü'];
  let emulated: EmulatedS3;

  beforeAll(async () => {
    emulated = await startS3();
    emulated.s3.ensureBucket({ name: Bucket, versioning: 'Enabled' });
    for (const Key of keys) {
      await emulated.client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    }
  });
  afterAll(() => emulated.close());

  it('show everything about an object', async () => {
    const listed = await emulated.client.send(
      new ListObjectsV2Command({ Bucket, Prefix: 'asdf', FetchOwner: true }),
    );
    expect(listed).toMatchObject({
      Name: Bucket,
      Prefix: 'asdf',
      KeyCount: 1,
      MaxKeys: 1000,
      IsTruncated: false,
    });
    expect(listed.Contents).toEqual([
      {
        Key: 'asdf',
        Size: 4,
        ETag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
        LastModified: expect.any(Date),
        StorageClass: 'STANDARD',
        ChecksumAlgorithm: ['CRC32'],
        ChecksumType: 'FULL_OBJECT',
        Owner: { ID: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    ]);
  });

  it('roll keys up at the delimiter and page through both kinds', async () => {
    const shown: (string | undefined)[] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await emulated.client.send(
        new ListObjectsV2Command({
          Bucket,
          Delimiter: '/',
          MaxKeys: 1,
          ...(ContinuationToken && { ContinuationToken }),
        }),
      );
      expect(page.KeyCount).toBe(1);
      shown.push(...(page.Contents ?? []).map(({ Key }) => Key));
      shown.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
    expect(shown).toEqual(['asdf', 'boo/', 'cquux/', 'zz top', 'ü']);
  });

  it('start after a key that need not be there', async () => {
    const listed = await emulated.client.send(new ListObjectsV2Command({ Bucket, StartAfter: 'boo/c' }));
    expect(listed.Contents?.map(({ Key }) => Key)).toEqual(['cquux/bla', 'cquux/thud', 'zz top', 'ü']);
  });

  it('work with the SDK paginator', async () => {
    const found: (string | undefined)[] = [];
    for await (const page of paginateListObjectsV2({ client: emulated.client, pageSize: 2 }, { Bucket })) {
      found.push(...(page.Contents ?? []).map(({ Key }) => Key));
    }
    expect(found).toEqual(keys);
  });

  it('of the first version go on by marker, behind the whole group of a common prefix', async () => {
    const first = await emulated.client.send(
      new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 2, EncodingType: 'url' }),
    );
    expect(first).toMatchObject({ IsTruncated: true, NextMarker: 'boo/', EncodingType: 'url' });
    const second = await emulated.client.send(
      new ListObjectsCommand({ Bucket, Delimiter: '/', MaxKeys: 2, Marker: 'boo/', EncodingType: 'url' }),
    );
    expect(second.CommonPrefixes).toEqual([{ Prefix: 'cquux/' }]);
    expect(second.Contents?.map(({ Key }) => Key)).toEqual(['zz+top']);
  });

  it('of versions roll up as well', async () => {
    const page = await emulated.client.send(
      new ListObjectVersionsCommand({ Bucket, Delimiter: '/', MaxKeys: 2 }),
    );
    expect(page.Versions?.map(({ Key }) => Key)).toEqual(['asdf']);
    expect(page.CommonPrefixes).toEqual([{ Prefix: 'boo/' }]);
    expect(page).toMatchObject({ IsTruncated: true, NextKeyMarker: 'boo/' });
    const next = await emulated.client.send(
      new ListObjectVersionsCommand({ Bucket, Delimiter: '/', KeyMarker: page.NextKeyMarker }),
    );
    expect(next.CommonPrefixes).toEqual([{ Prefix: 'cquux/' }]);
    expect(next.Versions?.map(({ Key }) => Key)).toEqual(['zz top', 'ü']);
  });

  it('of no keys at all are empty and not truncated', async () => {
    const listed = await emulated.client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 0 }));
    expect(listed).toMatchObject({ KeyCount: 0, IsTruncated: false });
  });

  it.each([{ ContinuationToken: 'made up' }, { MaxKeys: -1 }])('refuse %j', async (input) => {
    await expect(emulated.client.send(new ListObjectsV2Command({ Bucket, ...input }))).rejects.toMatchObject({
      name: 'InvalidArgument',
    });
  });

  it('refuse a version marker without a key marker', async () => {
    await expect(
      emulated.client.send(new ListObjectVersionsCommand({ Bucket, VersionIdMarker: 'null' })),
    ).rejects.toMatchObject({ name: 'InvalidArgument' });
  });

  it('refuse a batch of more than 1000 deletions', async () => {
    const Objects = Array.from({ length: 1001 }, (_, i) => ({ Key: `${i}` }));
    await expect(
      emulated.client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } })),
    ).rejects.toMatchObject({ name: 'MalformedXML' });
  });
});
