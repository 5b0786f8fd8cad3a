import { randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { backupPartition } from '../../../functions/recovery/catalog/backup-catalog.ts';
import { ChunkCatalog } from '../../../functions/recovery/catalog/chunk-catalog.ts';
import { ComponentCatalog } from '../../../functions/recovery/catalog/component-catalog.ts';
import { Failures } from '../../../functions/recovery/catalog/failures.ts';
import { ShardLocks } from '../../../functions/recovery/catalog/shard-locks.ts';
import { SnapshotStore } from '../../../functions/recovery/catalog/snapshot-store.ts';
import { systemClock } from '../../../functions/recovery/clock.ts';
import { concludeBackup } from '../../../functions/recovery/conclude-backup.ts';
import { deleteBackup } from '../../../functions/recovery/expiry/delete-backup.ts';
import { RetentionCatalog } from '../../../functions/recovery/expiry/retention-catalog.ts';
import { type BackupId, backupIdSchema } from '../../../functions/recovery/ids.ts';
import { Bucket } from '../../../functions/recovery/objects/bucket.ts';
import { backupPrefix, manifestKey } from '../../../functions/recovery/objects/object-keys.ts';
import { exists, noRemoval, removePrefix } from '../../../functions/recovery/objects/remove-prefix.ts';
import { sweepBackups } from '../../../functions/recovery/sweep-backups.ts';
import { DependencyError } from '../../../functions/shared/dependency.ts';
import { shard, traceparent } from './support/run-backup.ts';
import { type Aws, startAwsWorld } from './support/world.ts';

let world: Aws;
const minutes = 60_000;

beforeAll(async () => {
  world = await startAwsWorld();
});
afterEach(() => world.aws.endpoint.faults.clear());
afterAll(() => world?.close());

/** A backup at work that has stored something. */
async function running(): Promise<BackupId> {
  const id = backupIdSchema.parse(randomUUID());
  const now = new Date().toISOString();
  await world.catalog.create({
    id,
    type: 'full',
    trigger: 'api',
    traceparent,
    shards: [shard],
    createdAt: now,
  });
  await world.catalog.start(id, { executionArn: `arn:${id}`, shards: [shard], startedAt: now });
  await world.bucket.writeText(`${backupPrefix(id)}rows`, 'x');
  return id;
}

async function conclude(id: BackupId, startSweep: () => Promise<void> = async () => {}) {
  const record = await world.catalog.get(id);
  if (record === undefined) throw new Error('There is no record');
  return concludeBackup(
    {
      catalog: world.catalog,
      chunks: new ChunkCatalog(world.table, id),
      components: new ComponentCatalog(world.table, id),
      failures: new Failures(world.table, backupPartition(id)),
      locks: new ShardLocks(world.table, world.catalog),
      snapshot: (name) => new SnapshotStore(world.table, id, name),
      startSweep,
      clock: systemClock,
    },
    record,
    { name: id, aborted: true, failure: { code: 'Stopped', message: 'by hand' } },
  );
}

const sweep = (only: BackupId | undefined, laterMs = 0) =>
  sweepBackups(
    {
      catalog: world.catalog,
      retention: new RetentionCatalog(world.table),
      manifests: world.manifests,
      chunks: (id) => new ChunkCatalog(world.table, id),
      bucket: world.bucket,
      clock: { now: () => Date.now() + laterMs, sleep: async () => {} },
      sweepReencrypted: async () => noRemoval,
      remainingMs: () => minutes,
      log: new Logger({ logLevel: 'SILENT' }),
      onDeleted: async () => undefined,
    },
    only,
  );

const isEmpty = async (id: BackupId): Promise<boolean> =>
  (await removePrefix(world.bucket, backupPrefix(id), () => true)).objectsRemoved === 0;

describe('an execution that is stopped while its backup is being committed', () => {
  it('keeps the objects for as long as a manifest of them may still be written', async () => {
    const id = await running();
    await world.catalog.beginCommit(id, new Date().toISOString());
    expect(await conclude(id)).toMatchObject({ state: 'canceled' });
    expect(await sweep(id)).toEqual({ swept: [], objectsRemoved: 0, uploadsAborted: 0, remaining: true });
    expect(await sweep(id, 20 * minutes)).toMatchObject({ swept: [id], objectsRemoved: 1 });
    expect(await isEmpty(id)).toBe(true);
  });

  it('leaves no manifest behind when the backup is deleted meanwhile', async () => {
    const id = await running();
    await world.catalog.beginCommit(id, new Date().toISOString());
    await conclude(id);
    const locks = new ShardLocks(world.table, world.catalog);
    const deps = { catalog: world.catalog, locks, clock: systemClock, defaultLockDays: 0 };
    await deleteBackup(deps, async () => {}, id);
    await sweep(id);
    expect(await world.catalog.get(id)).toBeUndefined();
    await world.bucket.writeText(manifestKey(id), '{}');
    expect(await sweep(id, 20 * minutes)).toMatchObject({ swept: [id], objectsRemoved: 1 });
    expect(await exists(world.bucket, manifestKey(id))).toBe(false);
    expect(await world.catalog.sweepOf(id)).toBeUndefined();
  });
});

describe('a backup that ended', () => {
  it('is reported as ended, and swept by the clock, when nothing can start the sweep now', async () => {
    const id = await running();
    const refused = async () => {
      throw new DependencyError('Lambda did not complete Invoke sweep: TooManyRequestsException');
    };
    expect(await conclude(id, refused)).toMatchObject({ state: 'canceled', id });
    expect(await conclude(id, refused)).toBeUndefined();
    expect((await sweep(undefined, 20 * minutes)).swept).toContain(id);
    expect(await isEmpty(id)).toBe(true);
  });

  it('does not keep others from being swept when it cannot be', async () => {
    const ids = [await running(), await running()];
    for (const id of ids) await conclude(id);
    world.aws.endpoint.faults.add({
      service: 's3',
      operation: 'ListMultipartUploads',
      times: 3,
      error: { status: 500, code: 'InternalError' },
    });
    await expect(sweep(undefined, 20 * minutes)).rejects.toThrow('S3 did not complete ListMultipartUploads');
    const left = await Promise.all(ids.map((id) => world.catalog.sweepOf(id)));
    expect(left.filter((needed) => needed !== undefined)).toHaveLength(1);
    await sweep(undefined, 20 * minutes);
    expect(await Promise.all(ids.map(isEmpty))).toEqual([true, true]);
  });

  it('is forgotten by the sweep when it was completed after all', async () => {
    const id = await running();
    await world.catalog.sweepNeeded(id, 0);
    await world.table.set({ pk: backupPartition(id), sk: 'META' }, { state: 'completed' });
    expect(await sweep(id)).toMatchObject({ objectsRemoved: 0, remaining: false });
    expect(await world.catalog.sweepOf(id)).toBeUndefined();
    expect(await isEmpty(id)).toBe(false);
  });

  it('that nobody knows of is not swept', async () => {
    const id = backupIdSchema.parse(randomUUID());
    await world.bucket.writeText(manifestKey(id), '{}');
    expect(await sweep(id)).toMatchObject({ objectsRemoved: 0 });
    expect(await exists(world.bucket, manifestKey(id))).toBe(true);
  });
});

describe('removing what is under Object Lock', () => {
  it('leaves it for a later run, without an error', async () => {
    const Name = `locked-${randomUUID()}`;
    await world.s3.send(new CreateBucketCommand({ Bucket: Name, ObjectLockEnabledForBucket: true }));
    const bucket = new Bucket(world.s3, Name);
    await bucket.writeText('p/free', 'x');
    const until = new Date(Date.now() + minutes);
    await world.s3.send(
      new PutObjectCommand({
        Bucket: Name,
        Key: 'p/locked',
        Body: 'x',
        ObjectLockMode: 'GOVERNANCE',
        ObjectLockRetainUntilDate: until,
      }),
    );
    expect(await removePrefix(bucket, 'p/', () => true)).toEqual({
      objectsRemoved: 1,
      uploadsAborted: 0,
      locked: 1,
      remaining: true,
    });
  });
});
