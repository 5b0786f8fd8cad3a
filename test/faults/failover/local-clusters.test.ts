import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PostgresClusters } from '../../../local/postgres/clusters.ts';
import type { ClusterDescription } from '../../../local/postgres/description.ts';
import { connect, type Login, makeCluster, query, Sandbox, until } from '../../local/postgres/support.ts';

let sandbox: Sandbox;
let clusters: PostgresClusters;
let login: Login;

beforeAll(async () => {
  sandbox = await Sandbox.create();
  clusters = await sandbox.clusters({ restartAfterMs: 100 });
  login = { ca: await readFile(clusters.authorityFile, 'utf8') };
}, 60_000);

afterAll(() => sandbox.dispose());

const instanceOf = (cluster: string, number: number) => {
  const found = clusters.cluster(cluster).describe().instances[number - 1];
  if (found === undefined) throw new Error(`${cluster} has no instance ${number}`);
  return found;
};
const accepts = (cluster: string, number: number) =>
  query(instanceOf(cluster, number).endpoint, login, 'SELECT NOT pg_is_in_recovery() AS writer').then(
    ([row]) => (row?.writer === true ? 'writes' : 'reads'),
    () => 'nothing',
  );

describe('a managed cluster', () => {
  let cluster: ClusterDescription;
  beforeAll(async () => {
    cluster = await makeCluster(clusters, 'managed', 2);
    await query(cluster.endpoint, login, 'CREATE TABLE written (n int)');
  }, 60_000);

  it('fails over from a writer that has been halted, which is a reader afterwards', async () => {
    await clusters.cluster('managed').signal('managed-1', 'SIGSTOP');
    const started = performance.now();
    await clusters.promote('managed', 'managed-2');
    await query(cluster.endpoint, login, 'INSERT INTO written VALUES (1)');
    expect(performance.now() - started).toBeLessThan(5000);
    await clusters.cluster('managed').settled();
    expect([await accepts('managed', 1), await accepts('managed', 2)]).toEqual(['reads', 'writes']);
  }, 30_000);

  it('goes on where it was when what was halted is continued', async () => {
    const client = await connect(cluster.endpoint, login);
    await clusters.cluster('managed').signal('managed-2', 'SIGSTOP');
    const written = client.query('INSERT INTO written VALUES (2) RETURNING n');
    await clusters.cluster('managed').signal('managed-2', 'SIGCONT');
    expect((await written).rows).toEqual([{ n: 2 }]);
    await client.end();
  });

  it('does not promote a reader that has been halted', async () => {
    await clusters.cluster('managed').signal('managed-1', 'SIGSTOP');
    await expect(clusters.promote('managed', 'managed-1')).rejects.toThrow('does not run');
    await clusters.cluster('managed').signal('managed-1', 'SIGCONT');
  });

  it('stays down after a crash when it is told to', async () => {
    await clusters.cluster('managed').setConduct({ restartAfterMs: null });
    await clusters.cluster('managed').signal('managed-2', 'SIGKILL');
    await until('it is noticed', () => instanceOf('managed', 2).status === 'failed');
    await clusters.cluster('managed').startInstance('managed-2');
    expect(await accepts('managed', 2)).toBe('writes');
    await clusters.cluster('managed').setConduct({ restartAfterMs: 100 });
  });

  it('has commits wait for the standby when it is synchronous, and for none that there is not', async () => {
    await clusters.cluster('managed').setConduct({ synchronous: true });
    await until('the writer waits', async () => {
      const [row] = await query(cluster.endpoint, login, 'SHOW synchronous_standby_names');
      return row?.synchronous_standby_names === 'ANY 1 (*)';
    });
    await query(cluster.endpoint, login, 'INSERT INTO written VALUES (3)');
    await clusters.cluster('managed').signal('managed-1', 'SIGSTOP');
    let committed = false;
    const waiting = query(cluster.endpoint, login, 'INSERT INTO written VALUES (4)').then(() => {
      committed = true;
    });
    await until('a commit waits', async () => {
      const rows = await query(
        cluster.endpoint,
        login,
        `SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'`,
      );
      return rows.length === 1;
    });
    expect(committed).toBe(false);
    await clusters.cluster('managed').signal('managed-1', 'SIGCONT');
    await waiting;
    await clusters.promote('managed', 'managed-1');
    await query(cluster.endpoint, login, 'INSERT INTO written VALUES (5)');
    await clusters.cluster('managed').settled();
    const [row] = await query(cluster.endpoint, login, 'SELECT array_agg(n ORDER BY n) AS n FROM written');
    expect(row?.n).toEqual([1, 2, 3, 4, 5]);
    await until('the new writer waits', async () => {
      const [shown] = await query(cluster.endpoint, login, 'SHOW synchronous_standby_names');
      return shown?.synchronous_standby_names === 'ANY 1 (*)';
    });
  }, 30_000);

  it('can be silent for one client and open for the others', async () => {
    const { endpoint } = cluster;
    clusters.setTraffic('managed', 'writer', { kind: 'silent' }, 'a-probe');
    const options = { ...login, applicationName: 'a-probe-1' };
    let answered = false;
    const probe = query(endpoint, options, 'SELECT 1 AS one').then((rows) => {
      answered = true;
      return rows;
    });
    expect(await query(endpoint, login, 'SELECT 2 AS two')).toEqual([{ two: 2 }]);
    expect(answered).toBe(false);
    clusters.setTraffic('managed', 'writer', { kind: 'open' });
    expect(await probe).toEqual([{ one: 1 }]);
  });
});

describe('a self-managed cluster', () => {
  beforeAll(async () => {
    await makeCluster(clusters, 'own', 2);
    await clusters.cluster('own').setConduct({ selfManaged: true });
  }, 60_000);

  it('is promoted by SQL alone, and then has two writers once the old one is back', async () => {
    await expect(clusters.promote('own', 'own-2')).rejects.toThrow('promoted by SQL');
    await clusters.cluster('own').administer('own-2', 'SELECT pg_promote()');
    expect([await accepts('own', 1), await accepts('own', 2)]).toEqual(['writes', 'writes']);
    await clusters.cluster('own').signal('own-1', 'SIGKILL');
    await until('it is noticed', () => instanceOf('own', 1).status === 'failed');
    await until('it is back', async () => (await accepts('own', 1)) !== 'nothing');
    expect([await accepts('own', 1), await accepts('own', 2)]).toEqual(['writes', 'writes']);
  }, 30_000);

  it('keeps what its administrator has set, over crashes', async () => {
    const own = clusters.cluster('own');
    await own.administer('own-1', 'ALTER SYSTEM SET default_transaction_read_only = on');
    await own.signal('own-1', 'SIGKILL');
    await until('it is noticed', () => instanceOf('own', 1).status === 'failed');
    await until('it is back', async () => (await accepts('own', 1)) !== 'nothing');
    await expect(query(instanceOf('own', 1).endpoint, login, 'CREATE TABLE t ()')).rejects.toMatchObject({
      code: '25006',
    });
  }, 30_000);

  it('gets its standby back from its administrator', async () => {
    await query(instanceOf('own', 2).endpoint, login, 'CREATE TABLE new_one AS SELECT 1 AS n');
    await clusters.cluster('own').rejoin('own-1', 'own-2');
    expect([await accepts('own', 1), await accepts('own', 2)]).toEqual(['reads', 'writes']);
    await until('it has what the new primary has', async () => {
      const [row] = await query(
        instanceOf('own', 1).endpoint,
        login,
        `SELECT to_regclass('new_one') AS found`,
      );
      return row?.found !== null;
    });
  }, 30_000);

  it('outlasts a restart of the runtime as it was', async () => {
    await clusters.stop();
    clusters = await sandbox.clusters({ restartAfterMs: 100, pointInTime: true });
    expect([await accepts('own', 1), await accepts('own', 2)]).toEqual(['reads', 'writes']);
    await expect(clusters.cluster('managed').administer('managed-1', 'SELECT 1')).rejects.toThrow('managed');
  }, 60_000);
});
