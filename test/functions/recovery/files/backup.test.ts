import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { extract } from 'tar-stream';
import { ChunkCatalog } from '../../../../functions/recovery/catalog/chunk-catalog.ts';
import { ComponentCatalog } from '../../../../functions/recovery/catalog/component-catalog.ts';
import { systemClock } from '../../../../functions/recovery/clock.ts';
import { readComponentProgress } from '../../../../functions/recovery/component-progress.ts';
import { IncompleteBackupError } from '../../../../functions/recovery/errors.ts';
import { compareKeys } from '../../../../functions/recovery/files/model.ts';
import { operationIdSchema } from '../../../../functions/recovery/ids.ts';
import { planVerification } from '../../../../functions/recovery/verification/plan-verification.ts';
import { verifyWork } from '../../../../functions/recovery/verification/verify-work.ts';
import { verifyWorkSchema } from '../../../../functions/recovery/workflow.ts';
import { traceparent } from '../support/run-backup.ts';
import { readContent } from '../support/stored-content.ts';
import { type Aws, startAwsWorld } from '../support/world.ts';
import { entriesOf, FilesRun, makeBucket, put } from './support.ts';

jest.setTimeout(30_000);

let world: Aws;
const MiB = 1024 * 1024;
const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');

beforeAll(async () => {
  world = await startAwsWorld();
});
afterEach(() => world.aws.endpoint.faults.clear());
afterAll(() => world?.close());

/** The entries of a tar archive. */
async function unpack(archive: Buffer): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const reader = extract();
  reader.end(archive);
  for await (const entry of reader) {
    const pieces: Buffer[] = [];
    for await (const piece of entry) if (piece instanceof Uint8Array) pieces.push(Buffer.from(piece));
    found.set(entry.header.name, Buffer.concat(pieces));
  }
  return found;
}

describe('a backup of files', () => {
  it('holds the current version of every file with all that S3 keeps with it, under whatever key', async () => {
    const bucket = makeBucket(world);
    const large = randomBytes(3 * MiB);
    const keys = [
      '../up',
      '/absolute',
      'a',
      'a/',
      'a/b',
      'a b+c%20',
      'ümlaut/\u{1F600}',
      'tab\tand\u0001control',
    ];
    for (const key of keys) await put(bucket, key, `content of ${key}`);
    await put(bucket, 'empty', '');
    await put(bucket, 'replaced', 'before');
    await put(bucket, 'replaced', 'after', {
      ContentType: 'text/html',
      CacheControl: 'max-age=60',
      ContentDisposition: 'inline',
      ContentEncoding: 'identity',
      ContentLanguage: 'de',
      Metadata: { owner: 'somebody' },
      Tagging: 'kind=page&tier=gold',
    });
    await put(bucket, 'deleted', 'x');
    await world.s3.send(new DeleteObjectCommand({ Bucket: bucket.bucket, Key: 'deleted' }));
    await put(bucket, 'large.bin', large);

    const committed = await new FilesRun(world, bucket).complete();
    const entries = await entriesOf(world, committed);
    const { files, totals } = committed.manifest.manifest;
    const expected = [...keys, 'empty', 'replaced', 'large.bin'].sort(compareKeys);
    expect(entries.map(({ key }) => key)).toEqual(expected);
    expect(files).toMatchObject({ bucket: bucket.bucket, count: expected.length });
    expect(totals.objects).toBe(3);
    expect(entries.find(({ key }) => key === 'replaced')).toMatchObject({
      headers: {
        contentType: 'text/html',
        cacheControl: 'max-age=60',
        contentDisposition: 'inline',
        contentEncoding: 'identity',
        contentLanguage: 'de',
      },
      metadata: { owner: 'somebody' },
      tags: { kind: 'page', tier: 'gold' },
      sha256: sha256('after'),
    });

    const contents = new Map<number, Buffer>();
    for (const [position, object] of (files?.objects ?? []).entries()) {
      contents.set(position, await readContent(world, object));
    }
    for (const { key, parts, size } of entries) {
      const [part] = parts;
      const content = contents.get(part?.object ?? -1) ?? Buffer.alloc(0);
      const own = part?.name === undefined ? content : (await unpack(content)).get(part.name);
      expect([key, own?.length, sha256(own ?? '')]).toEqual([key, size, part?.sha256]);
    }
    expect(contents.size).toBe(2);
  });

  it('does not compress what its type says is compressed already', async () => {
    const bucket = makeBucket(world);
    await put(bucket, 'film', randomBytes(MiB), { ContentType: 'video/mp4' });
    await put(bucket, 'text', Buffer.alloc(MiB, 'text '));
    const { manifest } = await new FilesRun(world, bucket).complete();
    expect(manifest.manifest.files?.objects.map(({ compression }) => compression)).toEqual(['none', 'zstd']);
  });

  it('is one of nothing when there are no files', async () => {
    const { manifest, record } = await new FilesRun(world, makeBucket(world)).complete();
    expect(manifest.manifest.files).toMatchObject({ count: 0, bytes: 0, objects: [] });
    expect(record.state).toBe('completed');
  });

  it('reads the version that was listed, though the file is replaced or deleted meanwhile', async () => {
    const bucket = makeBucket(world);
    await put(bucket, 'replaced', 'listed');
    await put(bucket, 'deleted', 'listed too');
    const run = new FilesRun(world, bucket);
    await run.begin();
    await run.plan();
    await put(bucket, 'replaced', 'later');
    await world.s3.send(new DeleteObjectCommand({ Bucket: bucket.bucket, Key: 'deleted' }));
    await run.copyAll();
    await run.index();
    const entries = await entriesOf(world, await run.commit());
    expect(entries.map((entry) => entry.sha256)).toEqual([sha256('listed too'), sha256('listed')]);
  });

  it('fails naming a file whose version is gone for good', async () => {
    const bucket = makeBucket(world);
    const VersionId = await put(bucket, 'gone', 'x');
    const run = new FilesRun(world, bucket);
    await run.begin();
    const items = await run.items();
    await world.s3.send(new DeleteObjectCommand({ Bucket: bucket.bucket, Key: 'gone', VersionId }));
    const [work] = items;
    if (work === undefined) throw new Error('There is no item');
    await expect(run.copy(work)).rejects.toThrow(IncompleteBackupError);
    await expect(run.copy(work)).rejects.toThrow(/The file gone is gone for good: its version /);
  });

  it('goes on listing where it was when its time ran out', async () => {
    const bucket = makeBucket(world);
    const names = ['a', 'b', 'c', 'd', 'e'];
    for (const name of names) await put(bucket, name, name);
    await put(bucket, 'c', 'again');
    const run = new FilesRun(world, bucket);
    await run.begin();
    expect((await run.plan(0, 2)).outcome).toBe('again');
    expect((await run.plan()).outcome).toBe('done');
    await run.copyAll();
    await run.index();
    const committed = await run.commit();
    expect((await entriesOf(world, committed)).map(({ key }) => key)).toEqual(names);
    expect(await readComponentProgress(run.components, ['files'])).toMatchObject({
      files: { stage: 'done', filesListed: 5, filesCopied: 5 },
      configuration: null,
    });
  });
});

describe('an incremental backup of files', () => {
  it('refers to what has not changed, copies what has, and forgets what was deleted', async () => {
    const bucket = makeBucket(world);
    for (const key of ['a', 'b', 'c', 'd']) await put(bucket, key, `first ${key}`);
    await put(bucket, 'large', randomBytes(MiB));
    const first = new FilesRun(world, bucket);
    const full = await first.complete();
    await put(bucket, 'b', 'second b');
    await put(bucket, 'bb', 'new');
    await world.s3.send(new DeleteObjectCommand({ Bucket: bucket.bucket, Key: 'c' }));

    const second = new FilesRun(world, bucket, 'incremental');
    const committed = await second.complete();
    const entries = await entriesOf(world, committed);
    const objects = committed.manifest.manifest.files?.objects ?? [];
    const from = (key: string) => {
      const entry = entries.find((each) => each.key === key);
      return objects[entry?.parts[0]?.object ?? -1]?.context['mainstay:backup'];
    };
    expect(entries.map(({ key }) => key)).toEqual(['a', 'b', 'bb', 'd', 'large']);
    expect(['a', 'd', 'large'].map(from)).toEqual([first.id, first.id, first.id]);
    expect(['b', 'bb'].map(from)).toEqual([second.id, second.id]);
    expect(committed.record).toMatchObject({
      type: 'incremental',
      filesParent: first.id,
      references: [first.id],
    });
    expect((await world.catalog.get(first.id))?.dependents).toEqual([second.id]);
    expect(committed.record.files).toMatchObject({ filesKept: 3, filesCopied: 2 });

    const third = await new FilesRun(world, bucket, 'incremental').complete();
    expect(third.record.filesParent).toBe(second.id);
    expect(new Set(third.record.references)).toEqual(new Set([first.id, second.id]));
    expect(third.record.files).toMatchObject({ filesKept: 5, filesCopied: 0, bytesRead: 0 });
    expect((await entriesOf(world, third)).map(({ sha256: hash }) => hash)).toEqual(
      entries.map(({ sha256: hash }) => hash),
    );
    expect(full.record.type).toBe('full');
  });

  it('is a full one where no earlier backup has files of the bucket', async () => {
    const bucket = makeBucket(world);
    await put(bucket, 'a', 'x');
    const { record, manifest } = await new FilesRun(world, bucket, 'incremental').complete();
    expect(record).toMatchObject({ type: 'full' });
    expect(manifest.manifest.files?.objects).toHaveLength(1);
  });
});

describe('the commit of a backup of files', () => {
  async function begun(): Promise<FilesRun> {
    const bucket = makeBucket(world);
    await put(bucket, 'a', 'x');
    const run = new FilesRun(world, bucket);
    await run.begin();
    return run;
  }

  it('refuses what was not listed, copied, read back or put into the list', async () => {
    const run = await begun();
    await expect(run.commit()).rejects.toThrow(/were not listed/);
    const [work] = await run.items();
    await expect(run.commit()).rejects.toThrow(/the list of them is missing/);
    if (work === undefined) throw new Error('There is no item');
    await expect(run.index()).rejects.toThrow(/Item 0 of the files is missing/);
    const record = await run.copy(work);
    await run.index();
    await expect(run.commit()).rejects.toThrow(/item 0 has not been read back/);
    await run.verify('files', 0, record.objects);
    expect((await run.commit()).record.state).toBe('completed');
  });

  it('refuses a list that is of another attempt than what was read back', async () => {
    const run = await begun();
    const [work] = await run.items();
    if (work === undefined) throw new Error('There is no item');
    await run.copy(work);
    await run.index();
    const again = await run.copy(work);
    await run.verify('files', 0, again.objects);
    await expect(run.commit()).rejects.toThrow(/is not an object that was read back/);
  });

  it('finds a flipped bit in a pack when it is read back', async () => {
    const run = await begun();
    const [work] = await run.items();
    if (work === undefined) throw new Error('There is no item');
    const { objects } = await run.copy(work);
    const [pack] = objects;
    if (pack === undefined) throw new Error('There is no pack');
    await world.flipBit(pack);
    await expect(run.verify('files', 0, objects)).rejects.toThrow(
      new RegExp(`${pack.key} was not stored as it should be`),
    );
  });
});

describe('a verification of a backup of files', () => {
  it('lists packs, files and their list, and names the one with a flipped bit', async () => {
    const bucket = makeBucket(world);
    await put(bucket, 'a', 'x');
    await put(bucket, 'large', randomBytes(MiB));
    const { manifest } = await new FilesRun(world, bucket).complete();
    const { backupId, files } = manifest.manifest;
    const pack = files?.objects.find(({ kind }) => kind === 'files');
    if (pack === undefined) throw new Error('There is no pack');
    await world.flipBit(pack);
    const id = operationIdSchema.parse(randomUUID());
    const { operations, catalog, manifests, table, verifyPlace } = world;
    const createdAt = new Date().toISOString();
    await operations.create({ id, kind: 'verify', backupId, traceparent, createdAt });
    const input = { backupId, mode: 'full', keys: 'kms', traceparent } as const;
    const { key } = await planVerification(
      { catalog, operations, manifests, bucket: world.bucket },
      { operationId: id, executionArn: 'arn:test', input },
    );
    const stored = await world.bucket.readText({ key, versionId: null });
    const items = verifyWorkSchema.array().parse(JSON.parse(stored?.text ?? ''));
    expect(items.flatMap(({ objects }) => objects.map(({ kind }) => kind)).sort()).toEqual([
      'file',
      'files',
      'files-index',
    ]);
    const deps = {
      place: verifyPlace,
      chunks: new ChunkCatalog(table, backupId),
      components: new ComponentCatalog(table, backupId),
      operations,
      clock: systemClock,
    };
    for (const work of items) {
      await verifyWork(deps, { purpose: 'verification', ...input, operationId: id, work });
    }
    const { findings } = await operations.checked(id);
    expect(findings).toMatchObject([
      { object: pack.key, problem: 'hash-mismatch', shard: null, relation: null },
    ]);
  });
});
