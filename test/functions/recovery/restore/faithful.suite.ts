import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Manifest } from '../../../../functions/recovery/manifest/manifest.ts';
import { DdlSession } from '../../../../functions/recovery/restore/engine/apply-ddl.ts';
import { splitDump } from '../../../../functions/recovery/restore/engine/statements.ts';
import { readLeftOut } from '../../../../functions/recovery/restore/engine/steps.ts';
import { withTarget } from '../../../../functions/recovery/restore/engine/target-session.ts';
import type { LeftOut } from '../../../../functions/recovery/restore/model.ts';
import { hostileSchema } from '../support/hostile-schema.ts';
import { Restores } from './support/restores.ts';

let restores: Restores;

beforeAll(async () => {
  restores = await Restores.start();
});

afterAll(async () => {
  await restores?.close();
});

describe('a restored database', () => {
  it('has the same DDL and the same rows, whatever their names and values', async () => {
    const backup = await restores.backUp(hostileSchema);
    expect(await restores.complete(backup)).toEqual([]);
    expect(await restores.differences(backup)).toEqual([]);
    expect(await restores.ddl(backup.work.database)).toBe(await restores.ddl(backup.name));
  });

  it('goes on with its sequences where the original was, also beyond what a number of JSON holds', async () => {
    const backup =
      await restores.backUp(`CREATE SEQUENCE large START 9007199254740993; SELECT nextval('large');
      CREATE TABLE t (id serial); INSERT INTO t DEFAULT VALUES; CREATE SEQUENCE untouched;`);
    await restores.complete(backup);
    const next = await restores.query(
      backup.work.database,
      `SELECT nextval('large')::text AS large, nextval('t_id_seq')::int AS t, nextval('untouched')::int AS untouched`,
    );
    expect(next).toEqual([{ large: '9007199254740994', t: 2, untouched: 1 }]);
  });

  it('has all its rows without what this cluster does not take, and says what that is', async () => {
    const backup = await restores.backUp(`
      CREATE ROLE passing; GRANT passing TO CURRENT_USER WITH INHERIT TRUE, SET TRUE;
      CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 10);
      GRANT SELECT ON t TO passing; CREATE POLICY p ON t TO passing USING (true);
      CREATE SCHEMA s AUTHORIZATION passing;`);
    await restores.query(backup.name, 'DROP OWNED BY passing; DROP ROLE passing');
    expect(await restores.complete(backup)).toEqual([
      {
        object: 'SCHEMA s',
        reason: 'role "passing" does not exist',
        statement: 'ALTER SCHEMA s OWNER TO passing;',
      },
      { object: 'POLICY t p in schema public', reason: expect.any(String), statement: expect.any(String) },
      {
        object: 'ACL TABLE t in schema public',
        reason: 'role "passing" does not exist',
        statement: 'GRANT SELECT ON TABLE public.t TO passing;',
      },
    ]);
    expect(await restores.differences(backup)).toEqual([]);
  });

  it('has rows of some tables only when that is asked for, and no keys to those that are missing', async () => {
    const backup = await restores.backUp(`
      CREATE TABLE a (id int PRIMARY KEY); INSERT INTO a SELECT generate_series(1, 10);
      CREATE TABLE b (a int REFERENCES a); INSERT INTO b SELECT generate_series(1, 10);
      CREATE TABLE c (a int); INSERT INTO c SELECT generate_series(1, 10);
      CREATE MATERIALIZED VIEW counted AS SELECT (SELECT count(*) FROM a)::int AS a, (SELECT count(*) FROM b)::int AS b;`);
    const { work, shard } = restores.again(backup);
    const tables = work.plan.tables.filter(({ name }) => name !== 'a');
    const some = { shard, work: { ...work, plan: { ...work.plan, tables, partial: true } } };
    expect(await restores.complete(some)).toMatchObject([
      { object: expect.stringMatching(/^FK CONSTRAINT b/) },
    ]);
    expect(await restores.differences(some)).toEqual([]);
    expect(await restores.query(some.work.database, 'SELECT * FROM counted')).toEqual([{ a: 0, b: 10 }]);
  });
});

describe('DDL that only an administrator may run', () => {
  const header = (name: string, type: string, owner = 'mainstay_master') =>
    `-- Name: ${name}; Type: ${type}; Schema: -; Owner: ${owner}\n`;

  /** Applies DDL to a new database as a restore does, and answers what was left out. */
  async function apply(sql: string): Promise<readonly LeftOut[]> {
    const { work } = restores.plan(empty.manifest);
    await restores.prepare(work);
    return withTarget(restores.deps, work.database, async (client) => {
      const ddl = await DdlSession.begin(client, { ...restores.deps, partial: false });
      await ddl.apply('test', splitDump(sql), () => true);
      return readLeftOut(client);
    });
  }

  let empty: { manifest: Manifest };
  beforeAll(async () => {
    empty = await restores.backUp('', { ddl: false });
  });

  it('is left out, with what depends on it, and without its passwords', async () => {
    const leftOut = await apply(`
      ${header('f()', 'FUNCTION')}CREATE FUNCTION public.f() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
      ${header('e', 'EVENT TRIGGER')}CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION public.f();
      ALTER EVENT TRIGGER e OWNER TO mainstay_master;
      ${header('all', 'PUBLICATION')}CREATE PUBLICATION "all" FOR ALL TABLES;
      ${header('s', 'SUBSCRIPTION')}CREATE SUBSCRIPTION s CONNECTION 'password=hunter2' PUBLICATION p WITH (connect = false);
      ${header('c()', 'FUNCTION')}CREATE FUNCTION public.c(text) RETURNS bool LANGUAGE c AS 'dict_int', 'x';
      ${header('t', 'TABLE')}CREATE TABLE public.t (a text);
      ${header('i', 'INDEX')}CREATE INDEX i ON public.t (public.c(a));
      ${header('pageinspect', 'EXTENSION', '')}CREATE EXTENSION IF NOT EXISTS pageinspect WITH SCHEMA public;
      ${header('EXTENSION pageinspect', 'COMMENT', '')}COMMENT ON EXTENSION pageinspect IS 'x';`);
    expect(leftOut.map(({ object }) => object)).toEqual([
      'EVENT TRIGGER e',
      'PUBLICATION all',
      'SUBSCRIPTION s',
      'FUNCTION c()',
      'INDEX i',
      'EXTENSION pageinspect',
      'COMMENT EXTENSION pageinspect',
    ]);
    expect(JSON.stringify(leftOut)).not.toContain('hunter2');
  });

  it('is no excuse for a table or anything else that fails', async () => {
    const failing = [
      `${header('t', 'TABLE')}CREATE TABLE pg_catalog.t (a text);`,
      `${header('t', 'TABLE')}CREATE TABLE public.t (a no_such_type);`,
      `${header('i', 'INDEX')}CREATE INDEX i ON public.missing (a);`,
    ];
    for (const sql of failing) {
      await expect(apply(sql)).rejects.toMatchObject({
        name: 'RestoreDdlError',
        message: expect.stringMatching(/^(TABLE t|INDEX i) cannot be restored: /),
      });
    }
  });
});
