import '../shared/output.ts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import { prepareDatabase } from '../../../functions/bootstrap/prepare-database.ts';
import { prepareRestores } from '../../../functions/bootstrap/prepare-restores.ts';
import { bootstrapScript, latestVersion } from '../../../functions/bootstrap/sql.ts';
import { shardProbes } from '../../../functions/monitoring/probes.ts';
import { Readiness } from '../../../functions/monitoring/readiness.ts';
import { connect } from '../../../functions/shared/database.ts';
import { describeClient } from '../../client/client.suite.ts';
import { describeProbes } from '../failover/probe.suite.ts';
import { describeAnalysis } from '../shards/balance/analysis.suite.ts';
import { describeHealth } from '../shards/health.suite.ts';
import { describeInsights } from '../shards/insights.suite.ts';
import { describeMaintenance } from '../shards/maintenance.suite.ts';
import { startPostgres, type TestPostgres } from '../shared/postgres.ts';

let postgres: TestPostgres;
let master: pg.Client;

beforeAll(async () => {
  postgres = await startPostgres();
  master = await postgres.connect();
  await master.query(`
    CREATE ROLE platform_owner;
    GRANT platform_owner TO CURRENT_USER;
    CREATE TABLE plain AS SELECT generate_series(1, 10) AS id;
    CREATE TABLE guarded AS SELECT generate_series(1, 10) AS id;
    CREATE POLICY few ON guarded USING (id <= 3);
    ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
    CREATE TABLE forced AS SELECT generate_series(1, 10) AS id;
    ALTER TABLE forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    CREATE TABLE masters AS SELECT generate_series(1, 10) AS id;
    ALTER TABLE masters ENABLE ROW LEVEL SECURITY;
    GRANT CREATE ON SCHEMA public TO platform_owner;
    ALTER TABLE guarded OWNER TO platform_owner;
    ALTER TABLE forced OWNER TO platform_owner;
  `);
}, 60_000);

afterAll(async () => {
  await master.end();
  await postgres.stop();
});

async function as<T>(user: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await postgres.connect({ user });
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const refused = { code: '42501' };
const readOnly = { code: '25006' };

describe('preparing a database', () => {
  it('applies what is missing and says which tables it cannot help with', async () => {
    expect(await prepareDatabase(master, 'shard-a')).toEqual({
      shard: 'shard-a',
      version: latestVersion,
      applied: [1, 2, 3, 4, 5, 6],
      hidden: [
        { table: 'public.forced', reason: 'forced' },
        { table: 'public.masters', reason: 'owner' },
      ],
    });
  });

  it('finds nothing left to do the second time', async () => {
    expect(await prepareDatabase(master, 'shard-a')).toMatchObject({ version: latestVersion, applied: [] });
    const { rows } = await master.query('SELECT version, title FROM mainstay.bootstrap');
    expect(rows).toEqual([
      { version: 1, title: 'roles of the functions' },
      { version: 2, title: 'restores' },
      { version: 3, title: 'failover' },
      { version: 4, title: 'health and maintenance' },
      { version: 5, title: 'clients of services' },
      { version: 6, title: 'counting by slot' },
    ]);
  });

  it('does the same by the script that is printed for adopted clusters', async () => {
    await master.query('DELETE FROM mainstay.bootstrap');
    await master.query(bootstrapScript());
    await master.query(bootstrapScript());
    expect(await prepareDatabase(master, 'shard-a')).toMatchObject({ applied: [] });
  });

  it('makes the role of restores a member of the owners, of those that came later too', async () => {
    const member = `SELECT pg_has_role('mainstay_restore', 'late_owner', 'SET') AS sets`;
    await master.query('CREATE ROLE late_owner; GRANT late_owner TO CURRENT_USER');
    await master.query('CREATE SCHEMA late AUTHORIZATION late_owner');
    expect((await master.query(member)).rows).toEqual([{ sets: false }]);
    await prepareDatabase(master, 'shard-a');
    expect((await master.query(member)).rows).toEqual([{ sets: true }]);
  });

  it('prepares restores as often as one likes, at the same time too', async () => {
    const connectTo = (database: string) => {
      const { username: user, password } = postgres.master;
      return postgres.connect({ user, password, database });
    };
    const other = await connectTo('platform');
    await Promise.all([prepareRestores(master, connectTo), prepareRestores(other, connectTo)]);
    await other.end();
    await prepareRestores(master, connectTo);
    const { rows } = await master.query(`SELECT datistemplate FROM pg_database WHERE datname = 'mainstay'`);
    expect(rows).toEqual([{ datistemplate: true }]);
  });

  it('finds tables with row security that came later', async () => {
    await master.query(`
      CREATE ROLE newcomer;
      GRANT newcomer TO CURRENT_USER;
      GRANT CREATE ON SCHEMA public TO newcomer;
      CREATE TABLE later (id int);
      ALTER TABLE later ENABLE ROW LEVEL SECURITY;
      ALTER TABLE later OWNER TO newcomer;
    `);
    expect(await prepareDatabase(master, 'shard-a')).not.toMatchObject({
      hidden: expect.arrayContaining([expect.objectContaining({ table: 'public.later' })]),
    });
  });

  it('works at the same time as itself', async () => {
    await master.query('DELETE FROM mainstay.bootstrap');
    const clients = await Promise.all([postgres.connect(), postgres.connect(), postgres.connect()]);
    const results = await Promise.all(clients.map((client) => prepareDatabase(client, 'shard-a')));
    await Promise.all(clients.map((client) => client.end()));
    expect(results.flatMap(({ applied }) => applied)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('leaves a database as it was when a step fails, and finds the roles of another database', async () => {
    await master.query('CREATE ROLE stranger LOGIN; GRANT rds_iam TO stranger');
    await master.query('CREATE DATABASE other');
    await master.query('GRANT ALL ON DATABASE other TO stranger');
    const schemas = `SELECT count(*)::int AS count FROM pg_namespace WHERE nspname = 'mainstay'`;
    const stranger = await postgres.connect({ user: 'stranger', database: 'other' });
    await expect(prepareDatabase(stranger, 'shard-a')).rejects.toMatchObject(refused);
    expect((await stranger.query(schemas)).rows).toEqual([{ count: 0 }]);
    await stranger.end();
    const { username: user, password } = postgres.master;
    const owner = await postgres.connect({ user, password, database: 'other' });
    expect(await prepareDatabase(owner, 'shard-a')).toMatchObject({
      applied: [1, 2, 3, 4, 5, 6],
      hidden: [],
    });
    await owner.end();
  });
});

describe('the role of backups', () => {
  it('reads every table in full that can be read, and is told when one cannot', async () => {
    await as('mainstay_backup', async (client) => {
      await client.query('SET row_security = off');
      const count = (table: string) => client.query(`SELECT count(*)::int AS count FROM public.${table}`);
      expect((await count('plain')).rows).toEqual([{ count: 10 }]);
      expect((await count('guarded')).rows).toEqual([{ count: 10 }]);
      await expect(count('forced')).rejects.toMatchObject(refused);
      await expect(count('masters')).rejects.toMatchObject(refused);
    });
  });

  it('locks tables and exports its snapshot', async () => {
    await as('mainstay_backup', async (client) => {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      await client.query('LOCK TABLE public.plain, public.guarded IN ACCESS SHARE MODE');
      expect((await client.query('SELECT pg_export_snapshot() AS id')).rows).toEqual([
        { id: expect.any(String) },
      ]);
      await client.query('ROLLBACK');
    });
  });

  it('writes nothing, and cannot become the owner of what it reads', async () => {
    await as('mainstay_backup', async (client) => {
      await expect(client.query('DELETE FROM public.guarded')).rejects.toMatchObject(readOnly);
      await expect(client.query('CREATE TABLE public.mine (id int)')).rejects.toMatchObject(readOnly);
      await expect(client.query('SET ROLE platform_owner')).rejects.toMatchObject(refused);
      await client.query('SET default_transaction_read_only = off');
      await expect(client.query('DELETE FROM public.plain')).rejects.toMatchObject(refused);
    });
  });

  it('has all the time it needs, whatever others are given', async () => {
    await master.query(`ALTER DATABASE platform SET idle_in_transaction_session_timeout = '10s'`);
    await as('mainstay_backup', async (client) => {
      const { rows } = await client.query(
        `SELECT current_setting('idle_in_transaction_session_timeout') AS limit`,
      );
      expect(rows).toEqual([{ limit: '0' }]);
    });
  });
});

describe('the other roles', () => {
  it('of the probe writes its heartbeat and reads nothing else', async () => {
    await as('mainstay_probe', async (client) => {
      const beat = `INSERT INTO mainstay.heartbeat VALUES ('test', 1, 1, now())
        ON CONFLICT (shard) DO UPDATE SET beat = heartbeat.beat + 1`;
      await client.query(beat);
      await client.query(beat);
      await expect(client.query('SELECT * FROM public.plain')).rejects.toMatchObject(refused);
      await expect(client.query('SELECT * FROM mainstay.bootstrap')).rejects.toMatchObject(refused);
      await expect(client.query('DELETE FROM mainstay.heartbeat')).rejects.toMatchObject(refused);
      const forbidden = [
        'SELECT pg_promote()',
        'SELECT pg_reload_conf()',
        'ALTER SYSTEM SET default_transaction_read_only = on',
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mainstay_master'`,
        'CREATE TABLE mainstay.own (id int)',
        'SET ROLE mainstay_failover',
      ];
      for (const sql of forbidden) await expect(client.query(sql)).rejects.toMatchObject(refused);
      const { rows } = await client.query(
        `SELECT count(query) FILTER (WHERE query <> '<insufficient privilege>')::int AS seen
           FROM pg_stat_activity WHERE usename = 'mainstay_master'`,
      );
      expect(rows).toEqual([{ seen: 0 }]);
    });
  });

  it('of failovers ends sessions and beats, and reads nothing; what the engine keeps to itself is not needed', async () => {
    const victim = await postgres.connect();
    const { rows } = await victim.query('SELECT pg_backend_pid() AS pid');
    await as('mainstay_failover', async (client) => {
      await client.query(`INSERT INTO mainstay.heartbeat VALUES ('failover', 2, 1, now())`);
      await expect(client.query('SELECT * FROM public.plain')).rejects.toMatchObject(refused);
      await expect(client.query('DELETE FROM mainstay.heartbeat')).rejects.toMatchObject(refused);
      expect((await client.query('SELECT pg_terminate_backend($1) AS ended', [rows[0]?.pid])).rows).toEqual([
        { ended: true },
      ]);
    });
    await expect(victim.query('SELECT 1')).rejects.toThrow();
    const may = `SELECT has_function_privilege('mainstay_failover', 'pg_promote(boolean, integer)', 'EXECUTE') AS promote,
      has_parameter_privilege('mainstay_failover', 'default_transaction_read_only', 'ALTER SYSTEM') AS fence`;
    expect((await master.query(may)).rows).toEqual([{ promote: false, fence: false }]);
  });

  it('of statistics sees every session and no rows', async () => {
    await as('mainstay_stats', async (client) => {
      const { rows } =
        await client.query(`SELECT bool_or(query LIKE 'INSERT%' OR usename = 'mainstay_master') AS sees
        FROM pg_stat_activity WHERE usename = 'mainstay_master'`);
      expect(rows).toEqual([{ sees: true }]);
      await expect(client.query('SELECT * FROM public.plain')).rejects.toMatchObject(refused);
    });
  });

  it('of restores creates databases, and changes none that it did not create', async () => {
    await as('mainstay_restore', async (client) => {
      await client.query('CREATE DATABASE restored');
      await client.query('DROP DATABASE restored');
      await expect(client.query('DELETE FROM public.plain')).rejects.toMatchObject(refused);
      await expect(client.query('DROP DATABASE platform')).rejects.toMatchObject(refused);
    });
  });

  it('leave the master user its password: none that has IAM logins is granted to it', async () => {
    const { rows } = await master.query(
      `SELECT pg_has_role(current_user, 'rds_iam', 'USAGE') OR pg_has_role(current_user, 'rds_iam', 'SET') AS iam`,
    );
    expect(rows).toEqual([{ iam: false }]);
  });

  it('are no superusers and may not make roles', async () => {
    const { rows } = await master.query(
      `SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication
         FROM pg_roles WHERE rolname LIKE 'mainstay\\_%' AND rolname <> 'mainstay_master' ORDER BY rolname`,
    );
    expect(rows).toHaveLength(9);
    for (const { rolname, rolcreatedb, ...rights } of rows) {
      expect(rolcreatedb).toBe(rolname === 'mainstay_restore_owner');
      expect(Object.values(rights)).toEqual([false, false, false, false]);
    }
  });
});

describe('the readiness of a prepared shard', () => {
  it('is given while its writer takes the probe, and names the shard when it does not', async () => {
    const { host, port, database, authorities } = postgres;
    const shard = (name: string, at: number, databaseName = database) => ({
      name,
      clusterIdentifier: name,
      resourceId: 'cluster-x',
      database: databaseName,
      writer: { host, port: at },
      epoch: 1,
      state: 'active' as const,
    });
    const list = async () => [shard('a', port), shard('b', 1), shard('c', port, 'missing')];
    const probes = shardProbes({ list }, (options) => connect({ ...options, authorities }));
    const report = await new Readiness([probes]).check({ warn: () => {} });
    expect(report).toMatchObject({
      status: 'unready',
      dependencies: [
        { name: 'shard:a:writer', state: 'up' },
        { name: 'shard:b:writer', state: 'down', reason: 'unreachable' },
        { name: 'shard:c:writer', state: 'down', reason: 'absent' },
      ],
    });
  });
});

describeProbes(() => postgres);
describeHealth(() => postgres);
describeInsights(() => postgres);
describeClient(() => postgres);
describeMaintenance(() => postgres);
describeAnalysis(() => postgres);
