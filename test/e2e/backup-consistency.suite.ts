import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { waitFor } from '../support/wait-for.ts';
import { Backups } from './support/backups.ts';
import { connectTo, copyLines, onShard } from './support/databases.ts';
import { withVariables } from './support/functions.ts';
import { StoredBackup } from './support/stored-backup.ts';
import { expectOneInstant, Workload } from './support/workload.ts';

const shard = 'shard-a';
const doomedRows = 3_000;

/** Whether the backup role has the table locked: its snapshot is about to be taken, or has been. */
const isLocked = `SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE l.relation = 'doomed.rows'::regclass AND l.granted AND a.usename = 'mainstay_backup'`;
const isWaiting = `SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock'`;

describe('a backup of a shard that is written to, with a TRUNCATE that waits', () => {
  let backups: Backups;
  let backup: StoredBackup;
  let before: readonly number[];
  let after: readonly number[];
  let truncated: { waited: boolean; rowsLeft: number };

  beforeAll(async () => {
    backups = await Backups.open();
    await onShard(backups.local, shard, (client) =>
      client.query(`DROP SCHEMA IF EXISTS doomed CASCADE; CREATE SCHEMA doomed; CREATE TABLE doomed.rows (id integer, body text);
        INSERT INTO doomed.rows SELECT n, md5(n::text) FROM generate_series(1, ${doomedRows}) AS n`),
    );
    const workload = await Workload.start(backups.local, shard);
    const truncater = await connectTo(backups.local, shard);
    try {
      // Small chunks, so that several workers copy parts of tables at the same time, and slowly.
      await withVariables(backups.local, 'RecoveryPlanChunks', { CHUNK_TARGET_MIB: '1' }, async () => {
        await backups.breakage.inject({
          ...{ service: 's3', operation: 'PutObject', caller: 'RecoveryChunkPipeline' },
          ...{ times: 60, delayMs: 50 },
        });
        before = workload.done;
        const id = await backups.start({ shards: [shard] });
        const truncation = truncateUnderLock(truncater);
        await backups.ended(id);
        after = workload.done;
        truncated = await truncation;
        backup = await StoredBackup.open(backups.local, id);
      });
    } finally {
      await backups.breakage.mend();
      await workload.stop();
      await truncater.end();
    }
  });

  afterAll(async () => {
    await onShard(backups.local, shard, (client) =>
      client.query('DROP SCHEMA IF EXISTS bank CASCADE; DROP SCHEMA IF EXISTS doomed CASCADE'),
    );
    await backups.tidy();
  });

  /** Empties the table as soon as the backup has it locked, which has to wait for as long as the backup needs it. */
  async function truncateUnderLock(client: pg.Client): Promise<typeof truncated> {
    await waitFor(async () => (await client.query(isLocked)).rows.length > 0, {
      what: 'the backup to lock the table',
      intervalMs: 10,
    });
    const { rows: own } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const emptied = client.query('TRUNCATE doomed.rows');
    const waited = await onShard(backups.local, shard, (other) =>
      waitFor(async () => (await other.query(isWaiting, [own[0]?.pid])).rows.length > 0, {
        what: 'the TRUNCATE to wait',
        intervalMs: 10,
      }),
    );
    await emptied;
    const { rows } = await client.query<{ count: number }>('SELECT count(*)::int FROM doomed.rows');
    return { waited, rowsLeft: rows[0]?.count ?? -1 };
  }

  it('holds exactly one instant, in all tables together', async () => {
    const stored = await expectOneInstant(backup, shard);
    for (const [writer, number] of stored.entries()) {
      expect(number).toBeGreaterThanOrEqual(before[writer] ?? Number.NaN);
      expect(number).toBeLessThan(after[writer] ?? Number.NaN);
    }
    expect(backup.shard(shard).chunks.length).toBeGreaterThan(backup.shard(shard).tables.length);
  });

  it('holds every row of the table that was to be emptied, which is empty right after', async () => {
    expect(truncated).toEqual({ waited: true, rowsLeft: 0 });
    const lines = await backup.lines(shard, { schema: 'doomed', name: 'rows' });
    expect(lines).toHaveLength(doomedRows);
    expect(new Set(lines).size).toBe(doomedRows);
  });

  it('holds every byte of every table that nobody wrote to, whatever its names, types and values', async () => {
    const { settings } = backup.manifest.encoding;
    const still = backup
      .shard(shard)
      .tables.filter(({ schema }) => !['bank', 'doomed', 'mainstay'].includes(schema));
    expect(still.map(({ schema }) => schema)).toEqual(
      expect.arrayContaining(['hostile', 'we"ird schema', 'content']),
    );
    expect(still.length).toBeGreaterThan(40);
    await onShard(backups.local, shard, async (client) => {
      for (const table of still) {
        const columns = table.columns.map(({ name }) => name);
        const live = await copyLines(client, table, columns, settings);
        const stored = await backup.lines(shard, table);
        expect({ table: table.name, rows: stored.length }).toEqual({ table: table.name, rows: live.length });
        // Comparing with `toEqual` would print megabytes.
        expect(stored.every((line, index) => line === live[index])).toBe(true);
        expect(table.rows).toBe(live.length);
      }
    });
  });

  it('holds DDL of pg_dump, and the values of sequences', async () => {
    const { preData, postData, sequences } = backup.shard(shard);
    expect(
      missing(await backup.text(preData), [
        '-- Dumped by pg_dump version 18',
        'CREATE TABLE "we""ird schema"."täble ✓ ; drop" (',
        'CREATE TYPE platform.plan AS ENUM (',
        'CREATE TABLE bank.transfers (',
      ]),
    ).toEqual([]);
    expect(
      missing(await backup.text(postData), [
        'ADD CONSTRAINT tenants_owner_fkey FOREIGN KEY',
        'CREATE TRIGGER tenants_touch BEFORE UPDATE ON platform.tenants',
        'ALTER TABLE platform.api_tokens ENABLE ROW LEVEL SECURITY',
      ]),
    ).toEqual([]);
    const values: { sequences: unknown[] } = JSON.parse(await backup.text(sequences));
    expect(values.sequences).toContainEqual({
      ...{ schema: 'we"ird schema', name: 'Seq "uence', lastValue: '4711', isCalled: false },
    });
    expect(values.sequences).toContainEqual({
      ...{ schema: 'platform', name: 'users_id_seq', lastValue: '8000', isCalled: true },
    });
  });
});

/** The parts that a long text does not have. */
const missing = (text: string, parts: readonly string[]): string[] =>
  parts.filter((part) => !text.includes(part));
