import { randomUUID } from 'node:crypto';
import { Logger } from '@aws-lambda-powertools/logger';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { backupPartition } from '../../../functions/recovery/catalog/backup-catalog.ts';
import { Failures } from '../../../functions/recovery/catalog/failures.ts';
import { ShardLocks } from '../../../functions/recovery/catalog/shard-locks.ts';
import { SnapshotStore } from '../../../functions/recovery/catalog/snapshot-store.ts';
import { copyChunk } from '../../../functions/recovery/chunks/copy-chunk.ts';
import { systemClock } from '../../../functions/recovery/clock.ts';
import {
  concludeBackup,
  endOfReport,
  failureOfExecution,
} from '../../../functions/recovery/conclude-backup.ts';
import { BackupNotRunningError, IncompleteBackupError } from '../../../functions/recovery/errors.ts';
import { deleteBackup } from '../../../functions/recovery/expiry/delete-backup.ts';
import { RetentionCatalog } from '../../../functions/recovery/expiry/retention-catalog.ts';
import { backupPrefix, manifestKey } from '../../../functions/recovery/objects/object-keys.ts';
import { exists, noRemoval, removePrefix } from '../../../functions/recovery/objects/remove-prefix.ts';
import { readProgress } from '../../../functions/recovery/read-progress.ts';
import { awaitSnapshot } from '../../../functions/recovery/snapshot/open.ts';
import { sweepBackups } from '../../../functions/recovery/sweep-backups.ts';
import { DependencyError } from '../../../functions/shared/dependency.ts';
import { BackupRun, shard } from './support/run-backup.ts';
import { type Aws, type Database, startAwsWorld, startDatabase } from './support/world.ts';

let world: Aws;
let database: Database;
let name: string;
const log = new Logger({ logLevel: 'SILENT' });

beforeAll(async () => {
  [world, database] = await Promise.all([startAwsWorld(), startDatabase()]);
  name = await database.create(
    `CREATE TABLE t (id int, body text); INSERT INTO t SELECT n, md5(n::text) FROM generate_series(1, 3000) n;`,
  );
});

afterEach(() => world.aws.endpoint.faults.clear());

afterAll(async () => {
  await database?.close();
  await world?.close();
});

/** A backup that is ready to copy its chunks. */
async function planned() {
  const run = new BackupRun(world, database, name);
  await run.begin();
  run.holdIn();
  await run.storeNoDdl();
  return { run, plan: await run.plan() };
}

const conclude = async (run: BackupRun, aborted = false) => {
  const record = await run.record();
  if (record === undefined) throw new Error('There is no record');
  const swept: string[] = [];
  const ended = await concludeBackup(
    {
      catalog: world.catalog,
      chunks: run.chunks,
      components: run.components,
      failures: new Failures(world.table, backupPartition(run.id)),
      locks: new ShardLocks(world.table, world.catalog),
      snapshot: (shard) => new SnapshotStore(world.table, run.id, shard),
      startSweep: async (id) => void swept.push(id),
      clock: systemClock,
    },
    record,
    {
      name: run.id,
      aborted,
      failure: { code: 'States.ExceedToleratedFailureThreshold', message: 'items failed' },
    },
  );
  return { ended, swept };
};

const sweep = (run: BackupRun, laterMs = 0) =>
  sweepBackups(
    {
      catalog: world.catalog,
      retention: new RetentionCatalog(world.table),
      manifests: world.manifests,
      chunks: () => run.chunks,
      bucket: world.bucket,
      clock: { now: () => Date.now() + laterMs, sleep: async () => {} },
      sweepReencrypted: async () => noRemoval,
      remainingMs: () => 60_000,
      log,
      onDeleted: async () => undefined,
    },
    run.id,
  );

/** Deletes as the API does. */
const remove = (run: BackupRun) =>
  deleteBackup(
    {
      catalog: world.catalog,
      locks: new ShardLocks(world.table, world.catalog),
      clock: systemClock,
      defaultLockDays: 0,
    },
    async () => {},
    run.id,
  );

const isEmpty = async (run: BackupRun) =>
  (await removePrefix(world.bucket, backupPrefix(run.id), () => true)).objectsRemoved === 0;

describe('a service that does not answer', () => {
  it.each([
    ['s3', 'PutObject', 503, 'SlowDown'],
    ['dynamodb', 'PutItem', 500, 'InternalServerError'],
  ])(
    'is asked again: %s %s answering %i once or twice changes nothing',
    async (service, operation, status, code) => {
      const { run, plan } = await planned();
      world.aws.endpoint.faults.add({ service, operation, times: 2, error: { status, code } });
      for (const work of plan) await run.copy(work);
      expect(world.aws.endpoint.faults.list()).toEqual([]);
      await run.dumpSequences();
      await run.release();
      expect((await run.commit()).record.state).toBe('completed');
    },
  );

  it.each([['kms', 'GenerateDataKey', 'KMS', 'KMSInternalException', 500]])(
    'is not asked for ever: %s %s then is the cause, by name',
    async (service, operation, called, code, status) => {
      const { run, plan } = await planned();
      world.aws.endpoint.faults.add({ service, operation, times: 1_000, error: { status, code } });
      const [work] = plan;
      if (work === undefined) throw new Error('There is nothing to copy');
      const failures = new Failures(world.table, backupPartition(run.id));
      const error: unknown = await failures
        .watch('item', () => run.copy(work))
        .catch((error: unknown) => error);
      expect(error).toMatchObject({ name: DependencyError.name });
      expect(error).toMatchObject({ message: expect.stringContaining(`${called} did not complete`) });
      expect(error).toMatchObject({ message: expect.stringContaining(code) });
      const [left] = world.aws.endpoint.faults.list();
      expect(1_000 - (left?.times ?? 0)).toBeLessThanOrEqual(6);
      world.aws.endpoint.faults.clear();

      // What the backup says of itself is what failed in the chunk.
      const { ended } = await conclude(run);
      expect(ended).toMatchObject({ state: 'failed', error: { code: DependencyError.name } });
      await run.lanes();
      expect(await exists(world.bucket, manifestKey(run.id))).toBe(false);
      await sweep(run);
      expect(await isEmpty(run)).toBe(true);
    },
  );

  it('leaves the connection usable when a copy fails in the middle of it', async () => {
    const { run, plan } = await planned();
    const [work] = plan;
    const client = await database.asBackup(name);
    await client.query('BEGIN');
    world.aws.endpoint.faults.add({
      service: 's3',
      times: 1_000,
      error: { status: 500, code: 'InternalError' },
    });
    const { origin } = await awaitSnapshot(run.parts, 1_000);
    const chunk = { backupId: run.id, shard, origin, work: work ?? { item: 0, ranges: [] } };
    await expect(copyChunk(run.parts, client, chunk)).rejects.toThrow(DependencyError);
    expect((await client.query('SELECT 1 AS alive')).rows).toEqual([{ alive: 1 }]);
    await client.end();
    await run.release();
  });
});

describe('work whose parts have failed', () => {
  const threshold = { code: 'States.ExceedToleratedFailureThreshold', message: 'items failed' };

  it('failed for the reason that a part has noted', async () => {
    const failures = new Failures(world.table, `BACKUP#${randomUUID()}`);
    const work = failures.watch('1', async () => {
      throw new DependencyError('S3 is not there.');
    });
    await expect(work).rejects.toThrow('S3 is not there.');
    expect(await failures.explain(threshold)).toEqual({
      code: 'DependencyError',
      message: 'S3 is not there.',
    });
    const own = { code: 'PreflightError', message: 'no' };
    expect(await failures.explain(own)).toEqual(own);
    await failures.watch('1', async () => 'at the next try');
    expect((await failures.explain(threshold)).code).toBe(threshold.code);
  });

  it('says where to look when no part could note its reason', async () => {
    const failures = new Failures(world.table, `BACKUP#${randomUUID()}`);
    const { message } = await failures.explain(threshold);
    expect(message).toMatch(/DynamoDB did not take it.*logs/);
  });
});

describe('a backup that is not whole', () => {
  it('is not committed while a chunk is missing, unproved or from another snapshot, and has no manifest', async () => {
    const { run, plan } = await planned();
    const [first, ...others] = plan;
    if (first === undefined) throw new Error('There is nothing to copy');
    for (const work of others) await run.copy(work);
    await run.dumpSequences();
    await expect(run.commit()).rejects.toThrow(
      /item 0 is missing; "public"."t": blocks 0 to \d+ are missing/,
    );

    await run.copy(first);
    const stored = await run.chunks.getChunk(shard, 0);
    if (stored === undefined) throw new Error('It was not stored');
    const put = (values: object) =>
      world.table.set({ pk: backupPartition(run.id), sk: `CHUNK#${shard}#000000` }, { ...values });
    await put({ origin: 'another' });
    await expect(run.commit()).rejects.toThrow('item 0 is from another snapshot');
    await put({ origin: stored.origin, digests: [] });
    await expect(run.commit()).rejects.toThrow('item 0 has not been read back');
    await put({ digests: stored.digests, objects: [...stored.objects, ...stored.objects] });
    await expect(run.commit()).rejects.toThrow(/names other objects.*holds other ranges.*is covered twice/);
    await put({ objects: stored.objects });
    await run.chunks.putChunk({ ...stored, item: 99, origin: stored.origin });
    await expect(run.commit()).rejects.toThrow('item 99 was not planned');
    expect(await exists(world.bucket, manifestKey(run.id))).toBe(false);
    await run.release();
  });

  it('is not committed when its DDL has been damaged', async () => {
    const { run, plan } = await planned();
    for (const work of plan) await run.copy(work);
    await run.dumpSequences();
    await run.release();
    const [record] = await run.chunks.shards();
    const ddl = record?.['post-data'];
    if (ddl === undefined) throw new Error('There is no DDL');
    await world.flipBit(ddl);
    await expect(run.commit()).rejects.toMatchObject({
      name: IncompleteBackupError.name,
      message: expect.stringContaining(ddl.key),
    });
    await world.flipBit(ddl);
    expect((await run.commit()).record.state).toBe('completed');
    // Committing again is the same as once.
    expect((await run.commit()).record.state).toBe('completed');
  });

  it('is not committed after it was canceled; what it stored is removed, by version', async () => {
    const { run, plan } = await planned();
    for (const work of plan) await run.copy(work);
    await run.dumpSequences();
    expect(await world.catalog.requestCancel(run.id)).toBe(true);
    await run.lanes();
    await expect(run.commit()).rejects.toThrow(BackupNotRunningError);
    const { ended, swept } = await conclude(run, true);
    expect(ended).toMatchObject({ state: 'canceled' });
    expect(ended?.error).toBeUndefined();
    expect(swept).toEqual([run.id]);
    expect((await conclude(run)).ended).toBeUndefined();

    const first = await sweep(run);
    expect(first.objectsRemoved).toBeGreaterThan(plan.length);
    // A function that was not stopped may still store something: it is looked at again later.
    expect(first.remaining).toBe(true);
    await world.bucket.writeText(`${backupPrefix(run.id)}straggler`, 'x');
    expect(await sweep(run, 20 * 60_000)).toMatchObject({ objectsRemoved: 1, remaining: false });
    expect(await isEmpty(run)).toBe(true);
    expect((await run.record())?.progress).toMatchObject({ chunksDone: plan.length });
  });

  it('leaves nothing for ever when it is deleted at once: what is stored after that is removed, too', async () => {
    const { run, plan } = await planned();
    for (const work of plan) await run.copy(work);
    await world.catalog.requestCancel(run.id);
    await run.lanes();
    await conclude(run, true);
    expect(await remove(run)).toBe(true);
    expect(await sweep(run)).toMatchObject({ remaining: true });
    expect(await run.record()).toBeUndefined();
    await world.bucket.writeText(`${backupPrefix(run.id)}straggler`, 'x');
    expect(await sweep(run)).toMatchObject({ objectsRemoved: 1, remaining: true });
    expect(await sweep(run, 20 * 60_000)).toMatchObject({ objectsRemoved: 0, remaining: false });
    expect(await world.catalog.sweepOf(run.id)).toBeUndefined();
  });

  it('is no longer copied once it has ended, and nothing of it is on its way then', async () => {
    const run = new BackupRun(world, database, name, {
      now: () => Date.now(),
      // Looks often, but does not take a busy database for a broken one.
      sleep: (ms, signal) => systemClock.sleep(ms > 5_000 ? ms : Math.min(ms, 20), signal),
    });
    await run.begin();
    run.holdIn();
    await run.storeNoDdl();
    const ranges = (await run.plan(8 * 1024)).flatMap((work) => work.ranges);
    expect(ranges.length).toBeGreaterThan(20);
    world.aws.endpoint.faults.add({ service: 's3', operation: 'PutObject', times: 1_000, delayMs: 100 });
    const copying = run.copy({ item: 0, ranges }).catch((error: unknown) => error);
    await run.release();
    expect(await copying).toMatchObject({ name: BackupNotRunningError.name });
    const [slow] = world.aws.endpoint.faults.list();
    expect(1_000 - (slow?.times ?? 0)).toBeLessThan(ranges.length / 2);
    await isEmpty(run);
    expect(await isEmpty(run)).toBe(true);
    expect(await run.chunks.getChunk(shard, 0)).toBeUndefined();
  });
});

describe('deleting', () => {
  it('removes a complete backup with its manifest, and nothing else ever does', async () => {
    const { run, plan } = await planned();
    for (const work of plan) await run.copy(work);
    await run.dumpSequences();
    await run.release();
    await run.commit();
    expect(await sweep(run)).toMatchObject({ objectsRemoved: 0 });
    await world.table.set({ pk: backupPartition(run.id), sk: 'META' }, { state: 'failed' });
    expect(await sweep(run)).toMatchObject({ objectsRemoved: 0 });
    expect(await exists(world.bucket, manifestKey(run.id))).toBe(true);

    expect(await world.catalog.beginDelete(run.id)).toBe(true);
    await sweep(run);
    expect(await isEmpty(run)).toBe(true);
    expect(await run.record()).toBeUndefined();
    const { progress } = await readProgress(run.chunks, { shards: [shard] }, Date.now());
    expect(progress.chunksStored).toBe(0);
  });
});

describe('the report of an execution', () => {
  it('tells the error that the function threw', () => {
    const cause = JSON.stringify({ errorType: 'PreflightError', errorMessage: 'no', trace: [] });
    expect(failureOfExecution('PreflightError', cause)).toEqual({ code: 'PreflightError', message: 'no' });
    expect(failureOfExecution('States.Timeout', undefined).code).toBe('States.Timeout');
    const detail = { executionArn: 'arn', name: randomUUID(), status: 'ABORTED' };
    const report = { 'detail-type': 'Step Functions Execution Status Change' as const, detail };
    expect(endOfReport(report)).toMatchObject({ aborted: true, name: detail.name });
    expect(endOfReport({ ...report, detail: { ...detail, status: 'TIMED_OUT' } }).failure.code).toBe(
      'States.Timeout',
    );
  });
});
