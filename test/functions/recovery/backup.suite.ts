import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { copyOut } from '../../../functions/recovery/chunks/copy-out.ts';
import { NotReadyError, PgDumpError } from '../../../functions/recovery/errors.ts';
import type { Manifest } from '../../../functions/recovery/manifest/manifest.ts';
import { storeObject } from '../../../functions/recovery/objects/store-object.ts';
import { pgDump } from '../../../functions/recovery/schema/pg-dump.ts';
import { pinnedSettings } from '../../../functions/recovery/snapshot/session.ts';
import { qualifiedName } from '../../../functions/recovery/snapshot/sql.ts';
import { waitFor } from '../../support/wait-for.ts';
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

/** The rows of every table as sorted COPY text under the pinned settings. */
async function _contents(name: string, manifest: Manifest): Promise<Record<string, string[]>> {
  const client = await database.asOwner(name);
  const found: Record<string, string[]> = {};
  for (const [setting, value] of Object.entries(pinnedSettings)) {
    await client.query('SELECT set_config($1, $2, false)', [setting, value]);
  }
  for (const table of manifest.shards[0]?.tables ?? []) {
    const { rows } = await client.query<{ row: string }>(
      `SELECT t::text AS row FROM ONLY ${qualifiedName(table)} t ORDER BY 1`,
    );
    found[qualifiedName(table)] = rows.map(({ row }) => row);
  }
  await client.end();
  return found;
}

describe('a backup', () => {
  it('holds the values of sequences, which no DDL holds', async () => {
    const name = await database.create(`
      CREATE TABLE t (id serial); INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES;
      CREATE SEQUENCE untouched;`);
    const { manifest } = await new BackupRun(world, database, name).complete({ ddl: false });
    const [shard] = manifest.manifest.shards;
    expect(shard && JSON.parse((await readContent(world, shard.sequences)).toString())).toEqual({
      formatVersion: 1,
      sequences: [
        { schema: 'public', name: 't_id_seq', lastValue: '2', isCalled: true },
        { schema: 'public', name: 'untouched', lastValue: '1', isCalled: false },
      ],
    });
  });

  it('holds one instant, whatever is written meanwhile', async () => {
    const name = await database.create(`
      CREATE TABLE accounts (id int PRIMARY KEY, amount int) WITH (fillfactor = 50);
      INSERT INTO accounts SELECT n, 100 FROM generate_series(1, 5000) n;`);
    const writer = await database.asOwner(name);
    const truncater = await database.asOwner(name);
    await truncater.query("SET lock_timeout = '300ms'");
    let writing = true;
    const writes = (async () => {
      for (let n = 0; writing; n++) {
        await writer.query(`
          BEGIN;
          UPDATE accounts SET amount = amount - 7 WHERE id = ${(n % 2000) + 1};
          UPDATE accounts SET amount = amount + 7 WHERE id = ${(n % 2000) + 2001};
          DELETE FROM accounts WHERE id = ${n < 1000 ? 4001 + n : 9_000 + n};
          INSERT INTO accounts VALUES (${10_000 + n}, 100);
          COMMIT`);
      }
    })();
    const truncation: Promise<unknown>[] = [];
    const { manifest } = await new BackupRun(world, database, name).complete({
      between: async () => {
        truncation.push(truncater.query('TRUNCATE accounts').catch((error: unknown) => error));
      },
      targetBytes: 32 * 1024,
      ddl: false,
    });
    writing = false;
    await writes;
    await writer.end();
    expect(await truncation[0]).toMatchObject({ code: '55P03' });
    await truncater.end();

    const chunks =
      manifest.manifest.shards[0]?.chunks.filter(({ rows }) => rows?.range.name === 'accounts') ?? [];
    expect(chunks.length).toBeGreaterThan(3);
    const text = (await Promise.all(chunks.map((chunk) => readContent(world, chunk)))).join('');
    const rows = text.trimEnd().split('\n');
    expect(rows).toHaveLength(5000);
    const total = rows.reduce((sum, row) => sum + Number(row.split('\t')[1]), 0);
    expect(total).toBe(500_000);
  });
});

describe('the copy of a table', () => {
  it('is the same byte for byte in the store, over many pieces and parts, also while the store is slow', async () => {
    const name = await database.create('');
    const client = await database.asBackup(name);
    const sql = `COPY (SELECT n, encode(sha256(n::text::bytea), 'hex'), repeat(chr(65 + n % 26), n % 90)
                 FROM generate_series(1, 250000) n) TO STDOUT`;
    const direct = createHash('sha256');
    for await (const piece of copyOut(client, sql)) direct.update(piece);

    world.aws.endpoint.faults.add({ service: 's3', operation: 'UploadPart', times: 1, delayMs: 500 });
    const source = copyOut(client, sql);
    const { object } = await storeObject(world.place, {
      kind: 'rows',
      key: 'copy/large',
      context: { about: 'a large table' },
      source,
      consumed: (piece) => source.reuse(piece),
    });
    await client.end();
    expect(world.aws.endpoint.faults.list()).toEqual([]);
    expect(source.rows).toBe(250_000);
    expect(object.storedBytes).toBeGreaterThan(8 * 1024 * 1024);
    const stored = createHash('sha256').update(await readContent(world, object));
    expect(stored.digest('hex')).toBe(direct.digest('hex'));
  });
});

describe('pg_dump', () => {
  it('dumps hundreds of tables, whose queries are longer than its buffer', async () => {
    const tables = Array.from(
      { length: 300 },
      (_, n) => `CREATE TABLE "table number ${n} of three hundred" (id int);`,
    );
    const client = await database.asBackup(await database.create(tables.join('')));
    const sql = await pgDump(client, { args: ['--section=pre-data'], timeoutMs: 30_000 });
    await client.end();
    expect(sql.match(/^CREATE TABLE public/gm)).toHaveLength(300);
  });

  it('says what it said itself when it fails', async () => {
    const client = await database.asBackup(await database.create(''));
    const args = ['--section=pre-data', '--snapshot=00000003-0000001B-1'];
    await expect(pgDump(client, { args, timeoutMs: 30_000 })).rejects.toMatchObject({
      name: PgDumpError.name,
      message: expect.stringContaining('snapshot "00000003-0000001B-1" does not exist'),
    });
    await client.end();
  });

  it('is worth another try when its session is ended in the middle', async () => {
    const name = await database.create('CREATE TABLE t (id int)');
    const owner = await database.asOwner(name);
    await owner.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
    const client = await database.asBackup(name);
    client.on('error', () => undefined);
    const dump = pgDump(client, { args: ['--section=pre-data'], timeoutMs: 30_000 });
    const refusal = expect(dump).rejects.toMatchObject({ name: NotReadyError.name });
    const other = await database.asBackup(name);
    const terminate = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    await waitFor(async () => (await other.query(terminate)).rowCount === 1, { what: 'pg_dump to wait' });
    await refusal;
    await Promise.all([owner.end(), other.end()]);
  });

  it('is given up when it takes too long, and its thread with it', async () => {
    const name = await database.create('CREATE TABLE t (id int)');
    const owner = await database.asOwner(name);
    await owner.query('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
    const client = await database.asBackup(name);
    const dump = pgDump(client, { args: ['--section=pre-data'], timeoutMs: 1_500 });
    // Only now has the server an answer for it; the connection is given back when it has.
    const released = new Promise((resolve) => setTimeout(resolve, 2_500)).then(() => owner.query('ROLLBACK'));
    await expect(dump).rejects.toThrow('pg_dump did not end within 2 s.');
    await released;
    await owner.end();
    await client.end();
  });
});
