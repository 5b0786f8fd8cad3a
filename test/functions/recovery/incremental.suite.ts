import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ChunkRecord } from '../../../functions/recovery/catalog/chunk-catalog.ts';
import { mayBeOf, mayBeOfSql, windowSince } from '../../../functions/recovery/chunks/visibility.ts';
import { Restores } from './restore/support/restores.ts';
import { Chain, type Contents, type Link, referredTables } from './support/chain.ts';
import { Changer, changingSchema } from './support/changes.ts';
import { history } from './support/random-changes.ts';

import { BackupRun } from './support/run-backup.ts';
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

const targetBytes = 32 * 1024;

/** What is done to one table between two backups, after it was made and filled. */
interface Case {
  readonly name: string;
  /** With `$` for the table. */
  readonly made?: string;
  /** Done in a transaction that is open while the first backup is taken, and committed after it. */
  readonly late?: readonly string[];
  readonly done?: readonly string[];
  readonly referred: boolean;
}

const rows =
  'CREATE TABLE $ (id int, body text); INSERT INTO $ SELECT n, n::text FROM generate_series(1, 50) n';

const cases: readonly Case[] = [
  { name: 'nothing was done to', referred: true },
  { name: 'is empty, as before', made: 'CREATE TABLE $ (id int)', referred: true },
  { name: 'was vacuumed, frozen and analyzed', done: ['VACUUM (FREEZE, ANALYZE) $'], referred: true },
  {
    name: 'had rows locked and written in vain',
    done: ['BEGIN; SELECT FROM $ FOR UPDATE; UPDATE $ SET id = 1; ROLLBACK'],
    referred: true,
  },
  { name: 'had a row updated', done: ["UPDATE $ SET body = '' WHERE id = 7"], referred: false },
  { name: 'had a row deleted', done: ['DELETE FROM $ WHERE id = 50'], referred: false },
  {
    name: 'had a row exchanged',
    done: ["DELETE FROM $ WHERE id = 50; INSERT INTO $ VALUES (50, '')"],
    referred: false,
  },
  { name: 'had an older transaction commit late', late: ['UPDATE $ SET body = body || id'], referred: false },
  {
    name: 'had an older transaction roll its part back',
    late: ['SAVEPOINT s', 'DELETE FROM $', 'ROLLBACK TO s'],
    referred: true,
  },
  {
    name: 'had an older subtransaction commit late',
    late: ['SAVEPOINT s', "UPDATE $ SET body = '' WHERE id = 1", 'RELEASE s'],
    referred: false,
  },
  {
    name: 'was truncated and filled again',
    done: ['TRUNCATE $', 'INSERT INTO $ SELECT n, n::text FROM generate_series(1, 50) n'],
    referred: false,
  },
  { name: 'was rewritten by VACUUM FULL', done: ['VACUUM FULL $'], referred: false },
  {
    name: 'was rewritten by CLUSTER',
    made: `${rows}; CREATE INDEX $_i ON $ (body)`,
    done: ['CLUSTER $ USING $_i'],
    referred: false,
  },
  { name: 'was dropped and made anew', done: ['DROP TABLE $', ...rows.split('; ')], referred: false },
  {
    name: 'got a column with a default',
    done: ['ALTER TABLE $ ADD COLUMN more int DEFAULT 7'],
    referred: false,
  },
  {
    name: 'lost a column and got one of the same name',
    done: ['ALTER TABLE $ DROP COLUMN body', 'ALTER TABLE $ ADD COLUMN body text'],
    referred: false,
  },
  {
    name: 'has a value of an enumeration renamed',
    made: "CREATE TYPE $_e AS ENUM ('a', 'b'); CREATE TABLE $ (e $_e); INSERT INTO $ VALUES ('a'), ('b'), ('b')",
    done: [
      "ALTER TYPE $_e RENAME VALUE 'a' TO 'c'",
      "ALTER TYPE $_e RENAME VALUE 'b' TO 'a'",
      "ALTER TYPE $_e RENAME VALUE 'c' TO 'b'",
    ],
    referred: false,
  },
  {
    name: 'has an array of a domain over an enumeration that was renamed',
    made: "CREATE TYPE $_e AS ENUM ('a'); CREATE DOMAIN $_d AS $_e; CREATE TABLE $ (e $_d[]); INSERT INTO $ VALUES ('{a}')",
    done: ["ALTER TYPE $_e RENAME VALUE 'a' TO 'b'"],
    referred: false,
  },
  {
    name: 'has a composite type that lost an attribute and got one of the same name',
    made: "CREATE TYPE $_c AS (a int, b int); CREATE TABLE $ (c $_c); INSERT INTO $ VALUES ('(1,2)')",
    done: ['ALTER TYPE $_c DROP ATTRIBUTE b', 'ALTER TYPE $_c ADD ATTRIBUTE b int'],
    referred: false,
  },
  {
    name: 'has the row type of a table that lost a column and got one of the same name',
    made: 'CREATE TABLE $_r (a int, b int); CREATE TABLE $ (r $_r); INSERT INTO $ VALUES (ROW(1, 2))',
    done: ['ALTER TABLE $_r DROP COLUMN b', 'ALTER TABLE $_r ADD COLUMN b int'],
    referred: false,
  },
  {
    name: 'names relations',
    made: "CREATE TABLE $ (r regclass); INSERT INTO $ VALUES ('pg_class')",
    referred: false,
  },
  {
    name: 'names roles',
    made: "CREATE TABLE $ (r regrole[]); INSERT INTO $ VALUES ('{pg_monitor}')",
    referred: false,
  },
  { name: 'has access control lists', made: 'CREATE TABLE $ (a aclitem[])', referred: false },
  {
    name: 'has a domain over the names of types',
    made: 'CREATE DOMAIN $_d AS regtype; CREATE TABLE $ (d $_d)',
    referred: false,
  },
  {
    name: 'has a composite type with the name of a function',
    made: 'CREATE TYPE $_c AS (f regprocedure); CREATE TABLE $ (c $_c[])',
    referred: false,
  },
  {
    name: 'has all that text follows from settings for',
    made: `CREATE TABLE $ (d date, t timestamptz, i interval, m money, f float8, r tstzrange, b bytea, j jsonb, x xml);
           INSERT INTO $ VALUES (now(), now(), '1 day', 1, 0.1, '[now,)', 'x', '{}', '<a/>')`,
    referred: true,
  },
];

const tableOf = (index: number): string => `case_${String(index).padStart(2, '0')}`;

describe('an incremental backup', () => {
  let chain: Chain;
  let second: Link;
  let stored: Contents;

  beforeAll(async () => {
    const named = (index: number, sql: string) => sql.replaceAll('$', tableOf(index));
    chain = await Chain.of(world, database, '');
    await chain.sql(...cases.map(({ made = rows }, index) => named(index, made)));
    const late = await database.asOwner(chain.name);
    await late.query('BEGIN');
    for (const [index, each] of cases.entries()) {
      for (const statement of each.late ?? []) await late.query(named(index, statement));
    }
    await chain.backUp();
    await late.query('COMMIT');
    await late.end();
    await chain.sql(
      ...cases.flatMap(({ done = [] }, index) => done.map((statement) => named(index, statement))),
    );
    second = await chain.backUp();
    stored = await chain.stored(second);
  });

  it.each(
    cases.map(({ name, referred }, index) => ({ name, index, what: referred ? 'refers to' : 'stores anew' })),
  )('$what a table that $name', ({ index, what }) => {
    const name = `"public"."${tableOf(index)}"`;
    expect(stored[name]).toBeDefined();
    expect(stored[name]).toEqual(second.source[name]);
    expect(referredTables(second).includes(tableOf(index)) ? 'refers to' : 'stores anew').toBe(what);
  });

  it('holds what the database held at its instant, whatever was done since the one before', async () => {
    await fc.assert(
      fc.asyncProperty(history(2, 6), async (changes) => {
        const own = await Chain.of(world, database, changingSchema);
        const changer = new Changer(() => database.asOwner(own.name));
        try {
          await own.backUp({ targetBytes });
          for (const some of changes) {
            for (const each of some) await changer.apply(each);
            const link = await own.backUp({ targetBytes });
            expect(await own.stored(link)).toEqual(link.source);
          }
        } finally {
          await changer.close();
        }
      }),
      { numRuns: 1 },
    );
  });
});

/** Rows of 100 bytes or so: some 75 in a block. */
const fill = (from: number, to: number) =>
  `INSERT INTO t SELECT n, repeat(md5(n::text), 2) FROM generate_series(${from}, ${to}) n`;

describe('the window between two snapshots', () => {
  it('is the same to the database, also where ids begin anew', async () => {
    const client = await database.asOwner();
    const near = [
      0,
      1,
      2,
      3,
      4,
      99,
      100,
      101,
      109,
      110,
      111,
      2 ** 31,
      2 ** 31 + 99,
      2 ** 32 - 3,
      2 ** 32 - 1,
    ];
    const windows = [
      windowSince('100', '110:110:'),
      windowSince('100', '100:100:'),
      windowSince(String(2 ** 32 - 2), `${2 ** 32 + 100}:${2 ** 32 + 100}:`),
      windowSince(String(2 ** 33 + 100), `${2 ** 33 + 2 ** 31}:${2 ** 33 + 2 ** 31}:`),
    ];
    for (const window of windows) {
      if (window === undefined) throw new Error('There is no window.');
      const { rows: found } = await client.query<{ new: boolean }>(
        `SELECT ${mayBeOfSql(window, 'x')} AS new
         FROM (SELECT x::xid FROM unnest($1::text[]) WITH ORDINALITY AS u (x, n) ORDER BY n) s (x)`,
        [near.map(String)],
      );
      expect(found.map(({ new: isNew }) => isNew)).toEqual(near.map((xmin) => mayBeOf(window, xmin)));
    }
    await client.end();
  });
});

describe('the commit of an incremental backup', () => {
  it('refuses an object that the parent does not name for that range', async () => {
    const chain = await Chain.of(
      world,
      database,
      `CREATE TABLE t (id int, body text); ${fill(1, 500)}; CREATE TABLE u (id int); INSERT INTO u VALUES (1)`,
    );
    const stranger = await Chain.of(world, database, `CREATE TABLE t (id int, body text); ${fill(1, 500)}`);
    const [object] = (await stranger.backUp()).shard.chunks.filter(
      ({ rows: own }) => own?.range.name === 't',
    );
    await chain.backUp();
    const run = new BackupRun(world, database, chain.name);
    await run.begin({ type: 'incremental' });
    run.holdIn();
    await run.storeNoDdl();
    for (const work of await run.plan()) await run.copy(work);
    await run.dumpSequences();
    await run.release();
    const chunks: ChunkRecord[] = [];
    for await (const each of run.chunks.chunks()) chunks.push(each);
    const chunk = chunks.find(({ objects }) => objects.some(({ rows: own }) => own?.range.name === 't'));
    if (chunk === undefined || object === undefined) throw new Error('Nothing was stored.');
    const { verifiedAt, digests, ...unproved } = chunk;
    const objects = chunk.objects.map((own) =>
      own.rows?.range.name === 't' && object.rows !== undefined
        ? { ...object, rows: { ...object.rows, range: own.rows.range } }
        : own,
    );
    await world.table.delete({
      pk: `BACKUP#${run.id}`,
      sk: `CHUNK#shard-a#${String(chunk.item).padStart(6, '0')}`,
    });
    await run.chunks.putChunk({ ...unproved, objects });
    await run.verify(chunk.item, objects);
    await expect(run.commit()).rejects.toMatchObject({
      name: 'IncompleteBackupError',
      message: expect.stringContaining(`has no ${object.key}`),
    });
    expect([verifiedAt, digests]).not.toContain(undefined);
  });
});

describe('a restore of an incremental backup', () => {
  it('has all rows, those of the backups that it refers to as well', async () => {
    const restores = await Restores.start();
    try {
      const chain = await Chain.of(
        restores.world,
        restores.database,
        `CREATE TABLE t (id int, body text); ${fill(1, 3_000)}; CREATE TABLE u (id int); INSERT INTO u VALUES (1)`,
      );
      await chain.backUp({ ddl: true, targetBytes });
      await chain.sql('UPDATE t SET body = id::text WHERE id < 10', 'INSERT INTO u VALUES (2)');
      const { shard, run } = await chain.backUp({ ddl: true, targetBytes });
      const keys = shard.chunks.map(({ key }) => key.startsWith(`backups/${run.id}/`));
      expect(new Set(keys)).toEqual(new Set([true, false]));
      const record = await run.record();
      const stored = await restores.world.manifests.read(run.id, record?.manifest?.versionId ?? null);
      if (stored === undefined) throw new Error('There is no manifest.');
      const restoring = restores.plan(stored.manifest);
      await restores.complete(restoring);
      expect(await restores.differences(restoring)).toEqual([]);
      const sum = 'SELECT count(*)::int AS n, sum(length(body))::int AS l FROM t';
      expect(await restores.query(restoring.work.database, sum)).toEqual(
        await restores.query(chain.name, sum),
      );
    } finally {
      await restores.close();
    }
  });
});
