import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ChunkCatalog, type ChunkRecord } from '../../../functions/recovery/catalog/chunk-catalog.ts';
import { ShardLocks } from '../../../functions/recovery/catalog/shard-locks.ts';
import { SnapshotStore } from '../../../functions/recovery/catalog/snapshot-store.ts';
import { addStages } from '../../../functions/recovery/chunks/copy-chunk.ts';
import { systemClock } from '../../../functions/recovery/clock.ts';
import { BackupConflictError } from '../../../functions/recovery/errors.ts';
import { deleteBackup } from '../../../functions/recovery/expiry/delete-backup.ts';
import {
  type BackupId,
  backupIdSchema,
  shardNameSchema,
  snapshotIdSchema,
} from '../../../functions/recovery/ids.ts';
import { readProgress } from '../../../functions/recovery/read-progress.ts';
import { type Aws, startAwsWorld } from './support/world.ts';

let world: Aws;
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const [a, b] = [shardNameSchema.parse('shard-a'), shardNameSchema.parse('shard-b')];

beforeAll(async () => {
  world = await startAwsWorld();
});
afterAll(() => world?.close());

async function newBackup(createdAt = new Date().toISOString(), shards = [a, b]): Promise<BackupId> {
  const id = backupIdSchema.parse(randomUUID());
  await world.catalog.create({ id, type: 'full', trigger: 'api', traceparent, shards, createdAt });
  return id;
}

const start = (id: BackupId) =>
  world.catalog.start(id, { executionArn: 'arn:x', shards: [a, b], startedAt: new Date().toISOString() });

const chunk = (item: number, values: Partial<ChunkRecord> = {}): Omit<ChunkRecord, 'signature'> => ({
  shard: a,
  item,
  origin: 'o',
  objects: [],
  rows: 10,
  bytesRead: 1_000,
  bytesStored: 250,
  stages: addStages([]),
  startedAt: '2026-11-20T10:00:00.000Z',
  storedAt: '2026-11-20T10:00:01.000Z',
  ...values,
});

describe('the catalogue of backups', () => {
  it('goes through its states in one direction only', async () => {
    const { catalog } = world;
    const id = await newBackup();
    expect(
      await catalog.create({ id, type: 'full', trigger: 'api', traceparent, shards: [], createdAt: '' }),
    ).toBe(false);
    expect(await catalog.beginDelete(id)).toBe(false);
    expect(await start(id)).toBe(true);
    expect(await catalog.end(id, 'failed', { finishedAt: 'now', error: { code: 'E', message: 'm' } })).toBe(
      true,
    );
    expect(await catalog.end(id, 'canceled', { finishedAt: 'later' })).toBe(false);
    expect(await start(id)).toBe(false);
    expect(await catalog.requestCancel(id)).toBe(false);
    expect(await catalog.get(id)).toMatchObject({ state: 'failed', error: { code: 'E' } });
    expect(await catalog.beginDelete(id)).toBe(true);
    expect(await catalog.remove(id)).toBe(true);
    expect(await catalog.get(id)).toBeUndefined();
  });

  it('does not commit what was canceled, and does not cancel what is being committed', async () => {
    const { catalog } = world;
    const canceled = await newBackup();
    await start(canceled);
    expect(await catalog.requestCancel(canceled)).toBe(true);
    expect(await catalog.beginCommit(canceled, 'now')).toBeUndefined();
    const committing = await newBackup();
    await start(committing);
    expect(await catalog.beginCommit(committing, 'first')).toBe('first');
    expect(await catalog.beginCommit(committing, 'second')).toBe('first');
    expect(await catalog.requestCancel(committing)).toBe(false);
  });

  it('lists newest first, page by page, each backup once, also by state', async () => {
    const fresh = await startAwsWorld();
    try {
      const ids: BackupId[] = [];
      for (let n = 0; n < 7; n++) {
        const id = backupIdSchema.parse(`b-${n}`);
        ids.unshift(id);
        // Two at the same instant: the position has to tell them apart.
        const createdAt = `2026-11-20T10:00:0${Math.floor(n / 2)}.000Z`;
        await fresh.catalog.create({ id, type: 'full', trigger: 'api', traceparent, shards: [a], createdAt });
        if (n % 3 === 0) await fresh.catalog.end(id, 'failed', { finishedAt: createdAt });
      }
      const listed = async (limit: number, state?: 'failed') => {
        const pages: string[][] = [];
        let before: string | undefined;
        do {
          const { backups, next } = await fresh.catalog.list(limit, before, state);
          pages.push(backups.map(({ id }) => id));
          before = next;
        } while (before !== undefined);
        return pages;
      };
      expect((await listed(3)).map((page) => page.length)).toEqual([3, 3, 1]);
      expect((await listed(3)).flat()).toEqual(ids);
      expect(await listed(7)).toEqual([ids]);
      expect((await listed(2, 'failed')).flat()).toEqual(['b-6', 'b-3', 'b-0']);
    } finally {
      await fresh.close();
    }
  });

  it('does not see items past their time, though they are still stored', async () => {
    await world.table.put({ pk: 'OLD', sk: 'x', expiresAt: Math.floor(Date.now() / 1000) - 1 });
    expect(await world.table.get({ pk: 'OLD', sk: 'x' })).toBeUndefined();
    for await (const item of world.table.query({ pk: 'OLD' })) expect(item).toBeUndefined();
  });
});

describe('the chunks of a backup', () => {
  it('add up to the same progress however often they are stored', async () => {
    const id = await newBackup();
    const chunks = new ChunkCatalog(world.table, id);
    await chunks.setShard(a, { stage: 'chunks', chunksTotal: 4, relations: 2 });
    for (const item of [0, 1, 1, 0]) await chunks.putChunk(chunk(item));
    await chunks.setVerified(a, 0, [], { verifiedAt: 'now', digests: [], findings: [] });
    const now = Date.parse('2026-11-20T10:00:02.000Z');
    const one = await readProgress(chunks, { shards: [a] }, now);
    expect(one.progress).toEqual({
      stage: 'chunks',
      chunksDone: 1,
      chunksStored: 2,
      chunksTotal: 4,
      bytesRead: 2_000,
      bytesStored: 500,
      bytesPerSecond: 1_000,
      ratio: 4,
      etaMs: 6_000,
    });
    const both = await readProgress(chunks, { shards: [a, b] }, now);
    expect(both.progress).toMatchObject({ stage: 'planning', chunksTotal: null, etaMs: null });
  });

  it('keep what was read back: a late attempt changes nothing', async () => {
    const chunks = new ChunkCatalog(world.table, await newBackup());
    expect(await chunks.putChunk(chunk(0, { rows: 1 }))).toBe(true);
    expect(await chunks.putChunk(chunk(0, { rows: 2 }))).toBe(true);
    await chunks.setVerified(a, 0, [], { verifiedAt: 'now', digests: [] });
    expect(await chunks.putChunk(chunk(0, { rows: 3 }))).toBe(false);
    expect(await chunks.getChunk(a, 0)).toMatchObject({ rows: 2, verifiedAt: 'now' });
  });
});

describe('the record of a snapshot', () => {
  it('makes one holder of many, and tells it so again when it asks again', async () => {
    const store = new SnapshotStore(world.table, await newBackup(), a);
    expect(await store.acquire('one', 1)).toBe(true);
    expect(await store.acquire('one', 1)).toBe(true);
    expect(await store.acquire('other', 1)).toBe(false);
    const snapshot = {
      snapshotId: snapshotIdSchema.parse('00000003-0000001B-1'),
      host: 'h',
      port: 5432,
      leaseUntil: 2,
      origin: {
        instant: '2026-11-20T10:00:00.000Z',
        snapshot: '1:1:',
        lsn: null,
        systemIdentifier: null,
        timeline: null,
      },
      description: { key: 'k', versionId: null, sha256: 's' },
    };
    for (const [holder, generation, taken] of [
      ['one', 1, true],
      ['one', 1, true],
      ['other', 1, false],
      ['other', 2, true],
      ['other', 2, true],
      ['one', 1, false],
    ] as const) {
      expect([holder, generation, await store.publish(holder, generation, snapshot)]).toEqual([
        holder,
        generation,
        taken,
      ]);
    }
    await store.release();
    expect(await store.publish('other', 2, snapshot)).toBe(false);
    expect(await store.acquire('other', 1)).toBe(false);
  });
});

describe('the locks of shards', () => {
  it('let one backup at a time have a shard, and name it to the others', async () => {
    const locks = new ShardLocks(world.table, world.catalog);
    const [first, second] = [await newBackup(), await newBackup()];
    await locks.acquire(first, [b]);
    await locks.acquire(first, [b]);
    await expect(locks.acquire(second, [a, b])).rejects.toMatchObject({
      name: BackupConflictError.name,
      runningBackupId: first,
    });
    // Nothing was kept of the attempt.
    await locks.acquire(await newBackup(), [a]);
    await world.catalog.end(first, 'failed', { finishedAt: 'now' });
    await locks.acquire(second, [b]);
  });

  it('go with a backup that is deleted, also when its end was cut short', async () => {
    const locks = new ShardLocks(world.table, world.catalog);
    const shards = [shardNameSchema.parse('shard-d'), shardNameSchema.parse('shard-e')];
    const first = await newBackup(undefined, shards);
    const deps = { catalog: world.catalog, locks, clock: systemClock, defaultLockDays: 0 };
    await locks.acquire(first, shards);
    expect(await deleteBackup(deps, async () => {}, first)).toBe(false);
    await world.catalog.end(first, 'failed', { finishedAt: new Date().toISOString() });
    expect(await deleteBackup(deps, async () => {}, first)).toBe(true);
    await world.catalog.remove(first);
    await locks.acquire(await newBackup(), shards);
  });

  it('outlive a backup that never came to start only for a while', async () => {
    let now = Date.now();
    const locks = new ShardLocks(world.table, world.catalog, () => now);
    const shard = shardNameSchema.parse('shard-c');
    await locks.acquire(backupIdSchema.parse('never-noted'), [shard]);
    const second = await newBackup();
    await expect(locks.acquire(second, [shard])).rejects.toThrow(BackupConflictError);
    now += 6 * 60_000;
    await locks.acquire(second, [shard]);
  });
});
