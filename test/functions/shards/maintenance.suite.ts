import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { zstdDecompressSync } from 'node:zlib';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { archiver } from '../../../functions/shards/maintenance/archive-rows.ts';
import type { Archive } from '../../../functions/shards/maintenance/clean-up.ts';
import { maintainShard } from '../../../functions/shards/maintenance/maintain-shard.ts';
import type { CleanUpRule } from '../../../functions/shards/maintenance/model.ts';
import { unfinishedOf } from '../../../functions/shards/maintenance/unfinished.ts';
import { type EmulatedS3, startS3 } from '../../local/s3/emulated-s3.ts';
import type { TestPostgres } from '../shared/postgres.ts';

const Bucket = 'backups';

/** Maintenance of a prepared database by the role that it is done as. */
export function describeMaintenance(server: () => TestPostgres): void {
  describe('maintenance of a prepared shard', () => {
    let s3: EmulatedS3;
    let master: pg.Client;
    beforeAll(async () => {
      s3 = await startS3();
      await s3.client.send(new CreateBucketCommand({ Bucket }));
      master = await server().connect();
    });
    afterAll(async () => {
      await master.end();
      await s3.close();
    });

    const rule: CleanUpRule = {
      ...{ table: 'log.events', column: 'at', olderThanDays: 30, action: 'archive', batchRows: 40 },
    };
    const maintain = (
      change: {
        rules?: CleanUpRule[];
        act?: boolean;
        archive?: Archive;
        now?: () => Date;
        until?: number;
      } = {},
    ) => {
      const { host, port, database } = server();
      const {
        rules = [rule],
        act = true,
        archive = archiver(s3.client, Bucket),
        now = () => new Date(),
      } = change;
      return maintainShard(
        { name: 'shard-a', database, writer: { host, port } },
        {
          ...{
            archive,
            now,
            run: 'run',
            until: change.until ?? Date.now() + 60_000,
            end: Date.now() + 60_000,
          },
          open: () => server().connect({ user: 'mainstay_maintain' }),
          settings: { act, minutes: 1, cleanUp: rules },
        },
      );
    };
    const ages = async () =>
      (
        await master.query(
          `SELECT count(*)::int AS rows, coalesce(max(now() - at) < interval '30 days', true) AS young FROM log.events`,
        )
      ).rows[0];
    const prepare = async () => {
      await master.query(`DROP SCHEMA IF EXISTS log CASCADE; CREATE SCHEMA log;
        CREATE TABLE log.events (id int PRIMARY KEY, at timestamptz, text text, gone int, twice int GENERATED ALWAYS AS (id * 2) STORED);
        ALTER TABLE log.events DROP COLUMN gone;
        INSERT INTO log.events SELECT n, now() - make_interval(days => n - 1), CASE WHEN n % 2 = 0 THEN E'a\\tb\\\\\\n' || n END
          FROM generate_series(1, 130) n;`);
    };
    const allow =
      'GRANT USAGE ON SCHEMA log TO mainstay_maintain; GRANT SELECT, DELETE ON log.events TO mainstay_maintain';

    it('says what it would do, and what it may not, and changes nothing unless it is to act', async () => {
      await prepare();
      const refused = await maintain();
      expect(refused).toMatchObject({ reason: null, cleanUp: [{ outcome: 'not-permitted', rows: 0 }] });
      expect(unfinishedOf(refused)).toEqual([expect.stringMatching(/^shard-a: clean-up of log\.events: /)]);
      await master.query(allow);
      expect(await maintain({ act: false })).toMatchObject({
        cleanUp: [{ outcome: 'proposed', rows: 40, objects: 0 }],
      });
      expect(await ages()).toEqual({ rows: 130, young: false });
    });

    it('archives old rows and then removes them, so that the archive and what is left are all there was', async () => {
      await prepare();
      await master.query(allow);
      const all = 'SELECT id, at, text, twice FROM log.events ORDER BY id';
      const { rows: before } = await master.query(all);
      const report = await maintain();
      expect(report.cleanUp).toMatchObject([{ outcome: 'done', rows: 100, objects: 3, reason: null }]);
      expect(await ages()).toEqual({ rows: 30, young: true });
      const { Contents = [] } = await s3.client.send(
        new ListObjectsV2Command({ Bucket, Prefix: report.cleanUp[0]?.prefix ?? '' }),
      );
      expect(Contents).toHaveLength(3);
      // As the documentation says.
      for (const { Key } of Contents) {
        const { Body } = await s3.client.send(new GetObjectCommand({ Bucket, Key }));
        const text = zstdDecompressSync((await Body?.transformToByteArray()) ?? '');
        await pipeline(
          Readable.from([text]),
          master.query(copyFrom('COPY log.events FROM STDIN (HEADER MATCH)')),
        );
      }
      expect((await master.query(all)).rows).toEqual(before);
      await master.query(`DELETE FROM log.events WHERE at < now() - interval '30 days'`);
      expect((await maintain()).cleanUp).toMatchObject([{ outcome: 'done', rows: 0, objects: 0 }]);
    });

    it('removes nothing that could not be stored, stops when its time is up, and goes on the next time', async () => {
      await prepare();
      await master.query(allow);
      let batches = 0;
      const archive: Archive = async (client, sql, key) => {
        if (++batches === 2) {
          await client.query(sql);
          throw new Error('S3 did not complete PutObject');
        }
        return archiver(s3.client, Bucket)(client, sql, key);
      };
      expect((await maintain({ archive })).cleanUp).toMatchObject([
        { outcome: 'failed', rows: 40, objects: 1, reason: 'S3 did not complete PutObject' },
      ]);
      expect(await ages()).toMatchObject({ rows: 90 });
      expect((await maintain({ until: 0 })).cleanUp).toMatchObject([{ outcome: 'left-over', rows: 0 }]);
      expect((await maintain()).cleanUp).toMatchObject([{ outcome: 'done', rows: 60, objects: 2 }]);
    });

    it('refuses tables whose rows take others along or have partitions, and columns that are no time', async () => {
      await prepare();
      await master.query(`${allow};
        CREATE TABLE log.parts (id int, at date) PARTITION BY RANGE (at);
        CREATE TABLE log.notes (event int REFERENCES log.events ON DELETE CASCADE);`);
      const rules: CleanUpRule[] = [
        rule,
        { ...rule, table: 'log.parts' },
        { ...rule, column: 'text', action: 'delete' },
        { ...rule, table: 'log.none' },
      ];
      const { cleanUp } = await maintain({ rules });
      expect(cleanUp.map(({ outcome, reason }) => [outcome, reason])).toEqual([
        ['not-permitted', 'rows of log.notes would be deleted or changed with its own, and not be archived'],
        ['not-permitted', 'it is no plain table: name its partitions instead'],
        ['not-permitted', 'its column text is text: a time is needed'],
        ['not-permitted', 'there is no such table here, or mainstay_maintain may not name it'],
      ]);
      expect((await maintain({ rules: [{ ...rule, action: 'delete' }] })).cleanUp).toMatchObject([
        { outcome: 'done', rows: 100, objects: 0, prefix: null },
      ]);
    });

    it('analyses and vacuums what autovacuum has left, where it may', async () => {
      await master.query(`DROP SCHEMA IF EXISTS log CASCADE; CREATE SCHEMA log;
        CREATE TABLE log.busy (id int) WITH (autovacuum_enabled = off);
        INSERT INTO log.busy SELECT generate_series(1, 5000);
        DELETE FROM log.busy WHERE id <= 4000;
        SELECT pg_stat_force_next_flush()`);
      const of = async (act: boolean) =>
        (await maintain({ act, rules: [] })).tables
          .filter(({ schema }) => schema === 'log')
          .map(({ task, outcome }) => [task, outcome]);
      expect(await of(true)).toEqual([
        ['vacuum', 'not-permitted'],
        ['analyze', 'not-permitted'],
      ]);
      await master.query('GRANT USAGE ON SCHEMA log TO mainstay_maintain');
      expect(await of(false)).toEqual([
        ['vacuum', 'proposed'],
        ['analyze', 'proposed'],
      ]);
      expect(await of(true)).toEqual([
        ['vacuum', 'done'],
        ['analyze', 'done'],
      ]);
      const { rows } = await master.query(
        `SELECT n_dead_tup::int AS dead, last_vacuum IS NOT NULL AS vacuumed, reltuples::int AS rows
           FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid WHERE s.schemaname = 'log'`,
      );
      expect(rows).toEqual([{ dead: 0, vacuumed: true, rows: 1000 }]);
      await master.query('DROP SCHEMA log CASCADE');
    });

    it('says why where it cannot log in', async () => {
      await master.query('ALTER ROLE mainstay_maintain NOLOGIN');
      const report = await maintain();
      await master.query('ALTER ROLE mainstay_maintain LOGIN');
      expect(report).toMatchObject({ reason: expect.any(String), tables: [], cleanUp: [] });
      expect(unfinishedOf(report)).toHaveLength(1);
    });
  });
}
