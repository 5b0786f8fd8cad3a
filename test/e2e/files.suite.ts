import { randomUUID } from 'node:crypto';
import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { awsConfig, bucketNamed } from './support/aws.ts';
import { Backups } from './support/backups.ts';
import { operationOn, verifyBackup } from './support/recovery.ts';
import { Restores } from './support/restores.ts';

describe('files and configuration', () => {
  let backups: Backups;
  let restores: Restores;

  beforeAll(async () => {
    backups = await Backups.open();
    restores = new Restores(backups.local, backups.call);
  });
  afterAll(async () => {
    await restores?.tidy();
    await backups?.tidy();
  });

  it('are backed up and proved with the databases, and a deleted file comes back as it was', async () => {
    const s3 = new S3Client({ ...awsConfig(backups.local), forcePathStyle: true });
    const Bucket = await bucketNamed(backups.local, 'assets');
    const prefix = `e2e-${randomUUID()}/`;
    const Key = `${prefix}page.html`;
    const Body = `<p>${randomUUID()}</p>`;
    await s3.send(
      new PutObjectCommand({ Bucket, Key, Body, ContentType: 'text/html', Metadata: { a: 'b' } }),
    );

    const components = ['database', 'files', 'configuration'];
    const backup = await backups.take({ components, shards: ['shard-b'] });
    expect(backup).toMatchObject({
      components,
      files: { stage: 'done', bucket: Bucket },
      configuration: { verified: true },
    });
    expect(backup.files?.filesCopied).toBe(backup.files?.filesListed);

    const operation = await operationOn(backups.call, backup.id, 'encrypt');
    expect(operation).toMatchObject({
      ...{ state: 'completed', error: null },
      reencryption: { waiting: false, locked: 0, oldKeysNeededUntil: null, escrow: expect.any(String) },
    });
    expect(operation.reencryption?.removed).toBeGreaterThan(operation.reencryption?.objects ?? 0);
    expect(await verifyBackup(backups.call, backup.id)).toMatchObject({ state: 'completed', intact: true });

    await s3.send(new DeleteObjectCommand({ Bucket, Key }));
    const restore = await restores.take({
      backupId: backup.id,
      components: ['files', 'configuration'],
      files: { prefix },
    });
    expect(restore).toMatchObject({
      shards: [],
      identical: null,
      files: { filesTotal: 1, filesDone: 1, restored: 1, conflictsTotal: 0 },
      configuration: { scriptKey: `scratch/${restore.id}/configuration-apply.sh` },
    });
    const back = await s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(back).toMatchObject({ ContentType: 'text/html', Metadata: { a: 'b' } });
    expect(await back.Body?.transformToString()).toBe(Body);
  });
});
