import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findConflicts } from '../../../../functions/recovery/restore/engine/conflicts.ts';
import { swapDatabase } from '../../../../functions/recovery/restore/engine/swap-database.ts';
import { dropTarget } from '../../../../functions/recovery/restore/engine/target-database.ts';
import { Restores, type Restoring } from './support/restores.ts';

let restores: Restores;
let backup: Restoring & { name: string };

beforeAll(async () => {
  restores = await Restores.start();
  backup = await restores.backUp(`CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 10);`);
});

afterAll(async () => {
  await restores?.close();
});

const names = async (pattern: string) =>
  (
    await restores.query(
      'platform',
      `SELECT datname FROM pg_database WHERE datname LIKE '${pattern}' ORDER BY 1`,
    )
  ).map(({ datname }) => datname);

describe('the database that is restored into', () => {
  it('is refused when there is one of that name already, and left as it is', async () => {
    const { work } = restores.again(backup);
    const taken = await restores.database.create('CREATE TABLE theirs (id int)');
    await expect(restores.prepare({ ...work, database: taken })).rejects.toMatchObject({
      name: 'RestoreConflictError',
      message: expect.stringContaining(`"${taken}"`),
    });
    expect(await restores.query(taken, 'SELECT * FROM theirs')).toEqual([]);
    await expect(dropTarget(restores.deps, work.restoreId, taken)).rejects.toMatchObject({
      name: 'RestoreConflictError',
    });
    expect(await names(taken)).toEqual([taken]);
  });

  it('is refused to another restore, and removed by its own', async () => {
    const { work } = restores.again(backup);
    await restores.prepare(work);
    const other = { ...work, restoreId: restores.newId() };
    await expect(restores.prepare(other)).rejects.toMatchObject({ name: 'RestoreConflictError' });
    await expect(dropTarget(restores.deps, other.restoreId, work.database)).rejects.toThrow(
      'is not one that restore',
    );
    const connected = await restores.database.asOwner(work.database);
    expect(await dropTarget(restores.deps, work.restoreId, work.database)).toBe(true);
    expect(await dropTarget(restores.deps, work.restoreId, work.database)).toBe(false);
    await connected.end().catch(() => undefined);
    expect(await names(work.database)).toEqual([]);
  });

  it('is looked at for everything that would be in the way, without anything being changed', async () => {
    const { work } = restores.again(backup);
    const { server } = work.plan;
    const plan = {
      ...work.plan,
      server: {
        ...server,
        version: '19.1',
        versionNum: 190_001,
        localeProvider: 'libc',
        collate: 'xx_YY.utf8',
      },
      extensions: [{ name: 'no such extension', version: '1', schema: 'public' }],
      roles: ['mainstay_backup', 'nobody_knows'],
    };
    const client = await restores.database.asRestore('postgres');
    const { conflicts, notes } = await findConflicts(client, { ...work, plan });
    await client.end();
    expect(conflicts).toEqual([
      expect.stringMatching(/^The server is PostgreSQL 18.*the backup is of 19\.1\.$/),
      'The server does not have the locale xx_YY.utf8.',
      'The server does not have the extension "no such extension".',
    ]);
    expect(notes).toEqual([expect.stringContaining('"nobody_knows"')]);
    expect(await names(work.database)).toEqual([]);
  });
});

describe('replacing a database', () => {
  it('gives the restored one name, owner, privileges and settings, while sessions are connected, and back again', async () => {
    const original = await restores.database.create('CREATE TABLE old (id int)');
    await restores.query(
      original,
      `REVOKE CONNECT ON DATABASE ${original} FROM PUBLIC;
       GRANT CONNECT, CREATE ON DATABASE ${original} TO mainstay_probe;
       ALTER DATABASE ${original} SET search_path = "$user", 'odd, path', public;
       ALTER DATABASE ${original} SET work_mem = '5MB';
       ALTER ROLE mainstay_probe IN DATABASE ${original} SET statement_timeout = '7s';
       COMMENT ON DATABASE ${original} IS 'The platform''s';`,
    );
    const facts = async (name: string) =>
      restores.query(
        'platform',
        `SELECT pg_get_userbyid(datdba) AS owner,
                ARRAY(SELECT a::text FROM unnest(datacl) a ORDER BY 1) AS acl,
                shobj_description(oid, 'pg_database') AS comment,
                ARRAY(SELECT format('%s %s', setrole, c) FROM pg_db_role_setting, unnest(setconfig) c
                       WHERE setdatabase = d.oid ORDER BY 1) AS settings
           FROM pg_database d WHERE datname = '${name}'`,
      );
    const before = await facts(original);
    const restoring = restores.again(backup);
    await restores.complete(restoring);
    const { database: restored, restoreId } = restoring.work;
    const kept = `${original}_kept`;
    const swap = { restoreId, original, restored, kept };

    const connected = await restores.database.asOwner(original);
    await connected.query('BEGIN; LOCK TABLE old');
    const idle = await restores.database.asOwner(restored);
    expect(await swapDatabase(restores.deps, swap)).toEqual({ settingsNotCarried: [] });
    await expect(connected.query('SELECT 1')).rejects.toThrow();
    await idle.end().catch(() => undefined);
    expect(await swapDatabase(restores.deps, swap)).toEqual({ settingsNotCarried: [] });

    expect(await facts(original)).toEqual(before);
    expect(await restores.query(original, 'SELECT count(*)::int AS n FROM public.t')).toEqual([{ n: 10 }]);
    expect(await restores.query(kept, 'SELECT * FROM public.old')).toEqual([]);
    expect(await names(restored)).toEqual([]);

    await swapDatabase(restores.deps, { restoreId, original, restored: kept, kept: `${original}_undone` });
    expect(await facts(original)).toEqual(before);
    expect(await restores.query(original, 'SELECT * FROM public.old')).toEqual([]);
    expect(await dropTarget(restores.deps, restoreId, `${original}_undone`)).toBe(true);
  });

  it('is refused for a database that no restore has completed', async () => {
    const original = await restores.database.create('');
    const stranger = await restores.database.create('');
    const { work } = restores.again(backup);
    const kept = `${original}_kept`;
    const swap = { restoreId: work.restoreId, original, kept };
    await expect(swapDatabase(restores.deps, { ...swap, restored: stranger })).rejects.toMatchObject({
      name: 'RestoreConflictError',
    });
    await restores.prepare(work);
    await expect(swapDatabase(restores.deps, { ...swap, restored: work.database })).rejects.toThrow(
      'is not a database that restore',
    );
    expect(await names(`${original}%`)).toEqual([original]);
  });

  it('is for the role of restores only, and what the master user does for it is for its own databases', async () => {
    const stranger = await restores.database.asBackup('mainstay');
    await expect(stranger.query('SELECT mainstay_restore.hand_over()')).rejects.toMatchObject({
      code: '42501',
    });
    await stranger.end();
    const client = await restores.database.asRestore('mainstay');
    const statement = 'CREATE EXTENSION hstore';
    await expect(client.query('SELECT mainstay_restore.as_master($1)', [statement])).rejects.toThrow(
      'not a database of a restore',
    );
    await client.end();
    const { work } = restores.again(backup);
    await restores.prepare(work);
    const inside = await restores.database.asRestore(work.database);
    for (const sql of [
      'DROP DATABASE platform',
      'CREATE EXTENSION hstore; DROP ROLE mainstay_probe',
      'ALTER ROLE x',
    ]) {
      await expect(inside.query('SELECT mainstay_restore.as_master($1)', [sql])).rejects.toThrow(
        'not a statement for the master user',
      );
    }
    await inside.end();
  });
});
