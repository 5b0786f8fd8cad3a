import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { originName } from '../../../functions/recovery/chunks/copy-chunk.ts';
import { PreflightError, SnapshotLostError } from '../../../functions/recovery/errors.ts';
import { holdSnapshot, turnOf } from '../../../functions/recovery/snapshot/hold.ts';
import { awaitSnapshot } from '../../../functions/recovery/snapshot/open.ts';
import { findObstacles } from '../../../functions/recovery/snapshot/preflight.ts';
import { prepareSession } from '../../../functions/recovery/snapshot/session.ts';
import { BackupRun } from './support/run-backup.ts';
import { readContent } from './support/stored-content.ts';
import { type Aws, type Database, startAwsWorld, startDatabase } from './support/world.ts';

let world: Aws;
let database: Database;

beforeAll(async () => {
  [world, database] = await Promise.all([startAwsWorld(), startDatabase()]);
});

afterAll(async () => {
  await database?.close();
  await world?.close();
});

async function execute(name: string, sql: string): Promise<void> {
  const owner = await database.asOwner(name);
  await owner.query(sql);
  await owner.end();
}

describe('the relay of a snapshot', () => {
  it('keeps one instant through several holders, each of which replaces the one before', async () => {
    const name = await database.create(
      'CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 1000); CREATE TABLE later (id int);',
    );
    const run = new BackupRun(world, database, name);
    await run.begin();
    run.holdIn(200);
    const first = await awaitSnapshot(run.parts, 30_000);
    await run.storeNoDdl();
    const [work, ...others] = await run.plan(16 * 1024);
    await execute(
      name,
      'INSERT INTO t SELECT 7 FROM generate_series(1, 500); DELETE FROM t WHERE id <= 100; DROP VIEW IF EXISTS v',
    );
    if (work === undefined) throw new Error('There is nothing to copy');
    await run.copy(work);
    let held = await awaitSnapshot(run.parts, 10_000);
    while (held.generation < 4) {
      await run.parts.clock.sleep(50);
      held = await awaitSnapshot(run.parts, 10_000);
    }
    await expect(execute(name, "SET lock_timeout = '100ms'; TRUNCATE later")).rejects.toMatchObject({
      code: '55P03',
    });
    for (const rest of others) await run.copy(rest);
    await run.dumpSequences();
    await run.release();
    const { manifest } = await run.commit();

    expect(held.snapshotId).not.toBe(first.snapshotId);
    expect(originName(held.origin)).toBe(originName(first.origin));
    const parts = manifest.manifest.shards[0]?.chunks.filter(({ rows }) => rows?.range.name === 't') ?? [];
    const text = (await Promise.all(parts.map((part) => readContent(world, part)))).join('');
    const numbers = text.trimEnd().split('\n').map(Number);
    expect(numbers.sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, n) => n + 1));
  });

  it('survives a successor that cannot connect at first', async () => {
    const name = await database.create('CREATE TABLE t (id int)');
    const run = new BackupRun(world, database, name);
    await run.begin();
    const first = holdSnapshot(run.turn('a', 100));
    await awaitSnapshot(run.parts, 30_000);
    const troubles: unknown[] = [];
    const successor = run.turn('b', 600_000);
    const second = holdSnapshot({
      ...successor,
      connect: () => (troubles.length < 2 ? Promise.reject(new Error('refused')) : successor.connect()),
      onTrouble: (error) => troubles.push(error),
    });
    expect(await first).toEqual({ outcome: 'again', generation: 1 });
    expect(troubles).toHaveLength(2);
    await run.store.release();
    expect(await second).toEqual({ outcome: 'released', generation: 2 });
  });

  it('leaves a successor time to try more than once, however late a holder came to hold', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 60_000, max: 900_000 }),
        fc.integer({ min: 2_000, max: 780_000 }),
        (remainingMs, termMs) => {
          const { askAfterMs, endAfterMs } = turnOf(remainingMs, termMs);
          expect(endAfterMs).toBeLessThan(remainingMs);
          expect(askAfterMs).toBeLessThanOrEqual(termMs);
          expect(endAfterMs - askAfterMs).toBeGreaterThanOrEqual(remainingMs / 4);
        },
      ),
    );
  });

  it('lets go when the backup is canceled, so that the tables are free again', async () => {
    const name = await database.create('CREATE TABLE t (id int)');
    const run = new BackupRun(world, database, name);
    await run.begin();
    run.holdIn();
    await awaitSnapshot(run.parts, 30_000);
    await world.catalog.requestCancel(run.id);
    expect(await run.lanes()).toEqual([
      { status: 'fulfilled', value: undefined },
      { status: 'fulfilled', value: undefined },
    ]);
    await execute(name, "SET lock_timeout = '5s'; TRUNCATE t");
  });

  it('says that the snapshot is lost when the connection that held it breaks', async () => {
    const name = await database.create('CREATE TABLE t (id int)');
    const run = new BackupRun(world, database, name);
    await run.begin();
    run.holdIn();
    await awaitSnapshot(run.parts, 30_000);
    await execute(
      name,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mainstay_backup' AND datname = current_database()`,
    );
    const ends = await run.lanes();
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await expect(awaitSnapshot(run.parts, 1_000)).rejects.toMatchObject({ name: SnapshotLostError.name });
  });

  it('waits for a session that has a table locked, and names it when it takes too long', async () => {
    const name = await database.create('CREATE TABLE t (id int)');
    const locker = await database.asOwner(name);
    await locker.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
    const run = new BackupRun(world, database, name);
    await run.begin();
    run.holdIn();
    await run.parts.clock.sleep(300);
    await expect(awaitSnapshot(run.parts, 0)).rejects.toThrow('No snapshot was there');
    await locker.query('COMMIT');
    await locker.end();
    await awaitSnapshot(run.parts, 10_000);
    await run.release();
  });
});

describe('the preflight', () => {
  it('refuses tables that policies hide rows of, by name, with the statement that mends it', async () => {
    const name = await database.create(`
      CREATE TABLE visible (id int);
      CREATE TABLE hidden (tenant text);
      ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
      CREATE POLICY own ON hidden USING (tenant = current_user);
      CREATE TABLE "forced one" (tenant text);
      ALTER TABLE "forced one" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;`);
    const run = new BackupRun(world, database, name);
    await run.begin();
    run.holdIn();
    const error: unknown = await awaitSnapshot(run.parts, 30_000).catch((error: unknown) => error);
    expect(error).toMatchObject({ name: PreflightError.name });
    const message = error instanceof Error ? error.message : '';
    expect(message).toContain('"public"."hidden": row level security hides rows from "mainstay_backup"');
    expect(message).toContain('GRANT "mainstay_master" TO "mainstay_backup"');
    expect(message).toContain('"public"."forced one": row level security is forced');
    expect(message).toContain('NO FORCE ROW LEVEL SECURITY');
    expect(message).not.toContain('visible');
    await run.lanes();
  });

  it('finds what would be missing besides rows', async () => {
    const name = await database.create(
      'CREATE TABLE fine (id int); SELECT lo_create(0); SELECT lo_create(0);',
    );
    const client = await database.asBackup(name);
    await prepareSession(client);
    expect(await findObstacles(client)).toEqual([
      {
        object: '2 large objects',
        reason: 'large objects are not part of a backup',
        fix: expect.stringContaining('lo_unlink'),
      },
    ]);
    await client.end();
  });

  it('names tables, sequences and schemas that the role may not read', async () => {
    const name = await database.create(`
      CREATE SCHEMA closed; CREATE TABLE closed.t (id serial);
      CREATE TABLE open (id int); CREATE ROLE weak_reader LOGIN;
      GRANT SELECT ON open TO weak_reader; GRANT weak_reader TO CURRENT_USER WITH SET TRUE;`);
    const owner = await database.asOwner(name);
    await prepareSession(owner);
    await owner.query('SET ROLE weak_reader');
    const found = await findObstacles(owner);
    await owner.end();
    const closed = found.filter(({ object }) => object.startsWith('"closed"'));
    expect(closed).toEqual([
      {
        object: '"closed"."t"',
        reason: '"weak_reader" may not use the schema',
        fix: 'GRANT USAGE ON SCHEMA "closed" TO "weak_reader";',
      },
      {
        object: '"closed"."t"',
        reason: '"weak_reader" may not read it',
        fix: 'GRANT SELECT ON "closed"."t" TO "weak_reader";',
      },
      {
        object: '"closed"."t_id_seq"',
        reason: '"weak_reader" may not use the schema',
        fix: 'GRANT USAGE ON SCHEMA "closed" TO "weak_reader";',
      },
      {
        object: '"closed"."t_id_seq"',
        reason: '"weak_reader" may not read it',
        fix: 'GRANT SELECT ON SEQUENCE "closed"."t_id_seq" TO "weak_reader";',
      },
    ]);
    expect(found.map(({ object }) => object)).not.toContain('"public"."open"');
  });
});
