import { createHash, randomBytes } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { GetObjectCommand, ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { uploadsSchema } from '../../functions/recovery/import/model.ts';
import { backupSchema, operationSchema } from '../../functions/recovery/model.ts';
import { waitFor } from '../support/wait-for.ts';
import { awsConfig, bucketNamed } from './support/aws.ts';
import { Backups, expectCompleted } from './support/backups.ts';
import { root, verifyBackup } from './support/recovery.ts';
import { Restores } from './support/restores.ts';

const begunSchema = z.strictObject({ ...backupSchema.shape, uploads: uploadsSchema.nullable() });

describe('a dump that was made elsewhere', () => {
  /** As `pg_dump -Fc -Z 0` begins. */
  const dump = Buffer.concat([
    Buffer.from('PGDMP'),
    Buffer.from([1, 16, 0, 4, 8, 1, 0]),
    Buffer.alloc(200_000, 'one row after the other\n'),
    randomBytes(10_000),
  ]);
  const sha256 = createHash('sha256').update(dump).digest('hex');
  let backups: Backups;
  let restores: Restores;
  let s3: S3Client;
  let bucket: string;

  beforeAll(async () => {
    backups = await Backups.open();
    restores = new Restores(backups.local, backups.call);
    s3 = new S3Client({ ...awsConfig(backups.local), forcePathStyle: true });
    bucket = await bucketNamed(backups.local, 'backups');
  });
  afterAll(async () => {
    s3?.destroy();
    await backups?.tidy();
  });

  async function begin(body: unknown) {
    const answer = await backups.call('POST', `${root}/import`, { body });
    expect(answer).toMatchObject({ status: 202 });
    const { uploads, ...backup } = begunSchema.parse(answer.body);
    expect(answer.headers.get('location')).toBe(`${root}/backups/${backup.id}`);
    expect(backup).toMatchObject({ type: 'import', state: 'queued', shards: [] });
    backups.adopt(backup.id);
    return { id: backup.id, url: uploads?.url ?? '' };
  }
  const put = (url: string, body: Buffer) => fetch(url, { method: 'PUT', body });

  async function contentOf(key: string): Promise<Buffer> {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  }

  it('is uploaded, and from then on a backup: proved, listed, verified, restored byte by byte', async () => {
    const { id, url } = await begin({ name: 'shop.dump', sizeBytes: dump.length, sha256 });
    expect((await put(url, dump)).status).toBe(200);
    const backup = expectCompleted(await backups.ended(id));
    expect(backup).toMatchObject({
      import: {
        name: 'shop.dump',
        format: 'pg_dump-custom',
        packing: 'none',
        sizeBytes: dump.length,
        sha256,
      },
      progress: { stage: 'done', chunksDone: 1, chunksTotal: 1, bytesRead: dump.length },
    });
    expect(backup.sizeBytes).toBeLessThan(dump.length / 2);
    const left = async () => {
      const lists = ['uploads', 'work'].map(async (prefix) => {
        const place = { Bucket: bucket, Prefix: `${prefix}/${id}` };
        return (await s3.send(new ListObjectVersionsCommand(place))).Versions ?? [];
      });
      return (await Promise.all(lists)).flat();
    };
    // It is a backup as soon as it is committed; then what it was made from goes.
    await waitFor(async () => (await left()).length === 0, { what: 'the upload to be removed' });
    const { body } = await backups.call('GET', `${root}/backups?limit=5`);
    expect(body).toMatchObject({ backups: expect.arrayContaining([expect.objectContaining({ id })]) });
    expect(await verifyBackup(backups.call, id)).toMatchObject({ state: 'completed', intact: true });

    const restore = await restores.take({ backupId: id });
    const [object] = restore.objects;
    expect(object).toMatchObject({ objectKey: `scratch/${restore.id}/shop.dump`, sha256 });
    expect((await contentOf(object?.objectKey ?? '')).equals(dump)).toBe(true);
    const refused = await backups.call('POST', `${root}/restore`, {
      body: { backupId: id, mode: 'replace' },
    });
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ field: 'body.mode' }] } });

    const compressed = await stage('compress', { key: object?.objectKey });
    expect(zstdDecompressSync(await contentOf(compressed.result?.objectKey ?? '')).equals(dump)).toBe(true);
    const checked = await stage('verify-hash', { key: compressed.result?.objectKey });
    expect(checked).toMatchObject({ intact: true, backupId: null });
  });

  it('that is not what was announced is refused with the reason, and nothing of it stays', async () => {
    const { id, url } = await begin({ name: 'shop.dump', sha256: 'f'.repeat(64) });
    await put(url, dump);
    expect(await backups.ended(id)).toMatchObject({
      state: 'failed',
      error: { code: 'UploadMismatchError', message: expect.stringContaining(sha256) },
    });
    await backups.swept(id);
  });

  it('can be canceled before it is uploaded, and is refused by the name of the field', async () => {
    const { id } = await begin({ name: 'shop.dump' });
    expect((await backups.call('POST', `${root}/backups/${id}/cancel`)).status).toBe(202);
    expect(await backups.read(id)).toMatchObject({ state: 'canceled' });
    const wrong = await backups.call('POST', `${root}/import`, { body: { name: '../etc/passwd' } });
    expect(wrong).toMatchObject({ status: 400, body: { errors: [{ field: 'body.name' }] } });
    const foreign = await backups.call('POST', `${root}/encryption/decrypt`, {
      body: { key: 'scratch/../backups/x' },
    });
    expect(foreign).toMatchObject({ status: 422, body: { errors: [{ field: 'body.key' }] } });
  });

  async function stage(kind: string, body: unknown) {
    const answer = await backups.call('POST', `${root}/encryption/${kind}`, { body });
    expect(answer).toMatchObject({ status: 202 });
    const location = answer.headers.get('location') ?? '';
    const operation = await waitFor(
      async () => {
        const found = operationSchema.parse((await backups.call('GET', location)).body);
        return ['completed', 'failed', 'canceled'].includes(found.state) && found;
      },
      { what: `the operation at ${location} to end`, intervalMs: 250 },
    );
    expect(operation).toMatchObject({ state: 'completed', error: null });
    return operation;
  }
});
