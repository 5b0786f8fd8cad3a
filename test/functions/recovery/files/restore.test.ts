import { randomBytes, randomUUID } from 'node:crypto';
import { GetObjectCommand, GetObjectTaggingCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { filesWorkSchema } from '../../../../functions/recovery/files/contract.ts';
import { planRestoreFiles } from '../../../../functions/recovery/files/plan-restore-files.ts';
import type { FilesSource } from '../../../../functions/recovery/files/read-file.ts';
import { restoreFiles } from '../../../../functions/recovery/files/restore-files.ts';
import {
  type FilesSelection,
  filesSelectionSchema,
  type RestoredFiles,
} from '../../../../functions/recovery/files/restore-model.ts';
import { restoreIdSchema } from '../../../../functions/recovery/ids.ts';
import type { Committed } from '../../../../functions/recovery/manifest/commit.ts';
import { type Aws, startAwsWorld } from '../support/world.ts';
import { FilesRun, makeBucket, put } from './support.ts';

jest.setTimeout(30_000);

let world: Aws;
let source: FilesSource;
let backup: Committed;
const large = randomBytes(9 * 1024 * 1024);

beforeAll(async () => {
  world = await startAwsWorld();
  source = makeBucket(world);
  await put(source, 'pages/a.html', '<a>', {
    ContentType: 'text/html',
    CacheControl: 'max-age=60',
    Metadata: { owner: 'somebody' },
    Tagging: 'kind=page',
  });
  await put(source, 'pages/b.html', '<b>');
  await put(source, 'other', 'other');
  await put(source, 'large.bin', large);
  backup = await new FilesRun(world, source).complete();
});
afterAll(() => world?.close());

/** Restores files of the backup to a bucket. */
async function restore(
  target: FilesSource,
  asked: Partial<FilesSelection> = {},
  dryRun = false,
): Promise<RestoredFiles> {
  const { files } = backup.manifest.manifest;
  if (files === undefined) throw new Error('The backup has no files');
  const id = restoreIdSchema.parse(randomUUID().replaceAll('-', ''));
  const selection = filesSelectionSchema.parse(asked);
  const { key } = await planRestoreFiles(world.verifyPlace, world.bucket, files, id, selection);
  const stored = await world.bucket.readText({ key, versionId: null });
  const [work] = filesWorkSchema.array().parse(JSON.parse(stored?.text ?? ''));
  if (work === undefined) throw new Error('There is no item');
  return restoreFiles({ place: world.verifyPlace, items: world.bucket, target, dryRun }, work);
}

async function read({ s3, bucket }: FilesSource, key: string) {
  const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return { ...answer, text: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) };
}

describe('a restore of files', () => {
  it('puts them back with all that S3 kept with them', async () => {
    const target = makeBucket(world);
    expect(await restore(target)).toMatchObject({ restored: 4, equal: 0, conflictsTotal: 0 });
    const page = await read(target, 'pages/a.html');
    expect(page).toMatchObject({
      ContentType: 'text/html',
      CacheControl: 'max-age=60',
      Metadata: { owner: 'somebody' },
    });
    expect(page.text.toString()).toBe('<a>');
    const { TagSet } = await target.s3.send(
      new GetObjectTaggingCommand({ Bucket: target.bucket, Key: 'pages/a.html' }),
    );
    expect(TagSet).toEqual([{ Key: 'kind', Value: 'page' }]);
    expect((await read(target, 'large.bin')).text.equals(large)).toBe(true);
    expect(await restore(target)).toMatchObject({ restored: 0, equal: 4 });
  });

  it('leaves alone and names what is there and differs, unless it is to be overwritten', async () => {
    const target = makeBucket(world);
    await put(target, 'other', 'OTHER');
    await put(target, 'pages/b.html', 'longer than it was');
    expect(await restore(target)).toMatchObject({
      restored: 2,
      conflictsTotal: 2,
      conflicts: [
        { key: 'other', problem: 'Another file is there.' },
        { key: 'pages/b.html', problem: 'Another file is there.' },
      ],
    });
    expect((await read(target, 'other')).text.toString()).toBe('OTHER');
    expect(await restore(target, { overwrite: true })).toMatchObject({ restored: 2, equal: 2 });
    expect((await read(target, 'other')).text.toString()).toBe('other');
  });

  it('restores what was chosen, to where it was told', async () => {
    const target = makeBucket(world);
    expect(await restore(target, { prefix: 'pages/', to: 'again/' })).toMatchObject({ restored: 2 });
    expect((await read(target, 'again/pages/b.html')).text.toString()).toBe('<b>');
    expect(await restore(target, { keys: ['other'] })).toMatchObject({ restored: 1 });
    await expect(restore(target, { keys: ['nothing'] })).rejects.toThrow('The backup has no file nothing.');
    expect(await restore(target, { prefix: 'x'.repeat(1) })).toMatchObject({ restored: 0 });
    expect(await restore(target, { keys: ['other'], to: 'x'.repeat(1_023) })).toMatchObject({
      restored: 0,
      conflicts: [{ problem: 'The key would be longer than 1024 bytes.' }],
    });
  });

  it('only looks when it is a dry run', async () => {
    const target = makeBucket(world);
    await put(target, 'other', 'OTHER');
    expect(await restore(target, {}, true)).toMatchObject({ restored: 0, conflictsTotal: 1 });
    await expect(read(target, 'large.bin')).rejects.toThrow();
  });

  it('skips a file that never changed', async () => {
    expect(await restore(source)).toMatchObject({ restored: 0, equal: 4 });
  });

  it('writes nothing of an object that is not as it was stored', async () => {
    const target = makeBucket(world);
    const objects = backup.manifest.manifest.files?.objects ?? [];
    for (const object of objects) await world.flipBit(object);
    await expect(restore(target, { keys: ['large.bin'] })).rejects.toThrow(/is damaged/);
    await expect(restore(target, { keys: ['other'] })).rejects.toThrow(/is damaged/);
    for (const object of objects) await world.flipBit(object);
    for (const key of ['large.bin', 'other']) await expect(read(target, key)).rejects.toThrow();
  });
});
