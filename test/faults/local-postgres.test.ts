import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PostgresClusters } from '../../local/postgres/clusters.ts';
import type { ClusterDescription } from '../../local/postgres/description.ts';
import {
  connect,
  isAlive,
  type Login,
  makeCluster,
  query,
  Sandbox,
  until,
} from '../local/postgres/support.ts';

let sandbox: Sandbox;
let clusters: PostgresClusters;
let cluster: ClusterDescription;
let login: Login;
const reports: string[] = [];

beforeAll(async () => {
  sandbox = await Sandbox.create();
  clusters = await sandbox.clusters({ restartAfterMs: 300, report: (message) => reports.push(message) });
  cluster = await makeCluster(clusters, 'shard-a', 2);
  login = { ca: await readFile(clusters.authorityFile, 'utf8') };
}, 60_000);

afterAll(() => sandbox.dispose());

const instanceNow = (identifier: string) => {
  const found = clusters
    .cluster('shard-a')
    .describe()
    .instances.find((one) => one.identifier === identifier);
  if (found === undefined) throw new Error(`There is no instance ${identifier}`);
  return found;
};

const isWriter = async () =>
  (await query(cluster.endpoint, login, 'SELECT NOT pg_is_in_recovery() AS writer'))[0]?.writer;

describe('traffic through an endpoint', () => {
  it('stands still while it is cut, and goes on where it was when it is restored', async () => {
    const client = await connect(cluster.endpoint, login);
    await client.query('CREATE TABLE sent (value int)');
    clusters.setTraffic('shard-a', 'writer', { kind: 'silent' });
    const answer = client.query('INSERT INTO sent VALUES (1) RETURNING value');
    const newcomer = query(cluster.endpoint, login, 'SELECT 2 AS two');
    const other = instanceNow('shard-a-1').endpoint;
    expect(await query(other, login, 'SELECT count(*)::int AS rows FROM sent')).toEqual([{ rows: 0 }]);
    clusters.setTraffic('shard-a', 'writer', { kind: 'open' });
    expect((await answer).rows).toEqual([{ value: 1 }]);
    expect(await newcomer).toEqual([{ two: 2 }]);
    await client.end();
  });

  it('arrives later while it is delayed, in order and whole', async () => {
    const client = await connect(cluster.endpoint, login);
    const timed = async () => {
      const started = performance.now();
      await client.query('SELECT 1');
      return performance.now() - started;
    };
    clusters.setTraffic('shard-a', 'writer', { kind: 'delayed', ms: 120 });
    expect(await timed()).toBeGreaterThan(235);
    const { rows } = await client.query('SELECT g FROM generate_series(1, 100000) g');
    expect(rows.every((row, index) => row.g === index + 1)).toBe(true);
    clusters.setTraffic('shard-a', 'writer', { kind: 'open' });
    await until('there is no delay', async () => (await timed()) < 120);
    await client.end();
  });

  it('is reset on request, for old and new connections', async () => {
    const client = await connect(cluster.endpoint, login);
    const lost = expect(client.query('SELECT pg_sleep(60)')).rejects.toThrow();
    clusters.setTraffic('shard-a', 'writer', { kind: 'reset' });
    await lost;
    await expect(query(cluster.endpoint, login, 'SELECT 1')).rejects.toThrow();
    clusters.setTraffic('shard-a', 'writer', { kind: 'open' });
    expect(await isWriter()).toBe(true);
  });
});

describe('a killed server', () => {
  it.each(['shard-a-1', 'shard-a-2'])('comes back: %s', async (identifier) => {
    await query(cluster.endpoint, login, `CREATE TABLE "kept ${identifier}" AS SELECT 1`);
    const { pid, endpoint } = instanceNow(identifier);
    process.kill(pid ?? 0, 'SIGKILL');
    await until('it is noticed', () => instanceNow(identifier).status === 'failed');
    await expect(query(endpoint, login, 'SELECT 1')).rejects.toThrow();
    await until('it is back', () => instanceNow(identifier).status === 'available');
    expect(instanceNow(identifier).pid).not.toBe(pid);
    expect(reports.at(-1)).toContain(identifier);
    await until('it has all data', async () => {
      const rows = await query(endpoint, login, `SELECT to_regclass('"kept ${identifier}"') AS found`);
      return rows[0]?.found !== null;
    });
  });
});

describe('a promotion', () => {
  it('loses nothing when it is planned, and makes a standby of the old writer', async () => {
    await query(cluster.endpoint, login, `CREATE TABLE planned AS SELECT generate_series(1, 20000) AS n`);
    await clusters.promote('shard-a', 'shard-a-2');
    expect(await query(cluster.endpoint, login, 'SELECT count(*)::int AS rows FROM planned')).toEqual([
      { rows: 20000 },
    ]);
    await query(cluster.endpoint, login, 'INSERT INTO planned VALUES (0)');
    expect(instanceNow('shard-a-2').writer).toBe(true);

    await clusters.cluster('shard-a').settled();
    const old = instanceNow('shard-a-1');
    expect(old).toMatchObject({ writer: false, status: 'available' });
    await until('the old writer follows', async () => {
      const [row] = await query(
        old.endpoint,
        login,
        'SELECT count(*)::int AS rows, pg_is_in_recovery() AS standby FROM planned',
      );
      return row?.rows === 20001 && row.standby === true;
    });
  }, 30_000);

  it('restores service when the writer is dead', async () => {
    const { pid } = instanceNow('shard-a-2');
    process.kill(pid ?? 0, 'SIGKILL');
    await until('it is noticed', () => instanceNow('shard-a-2').status === 'failed');
    await clusters.promote('shard-a', 'shard-a-1');
    expect(await isWriter()).toBe(true);
    await query(cluster.endpoint, login, 'INSERT INTO planned VALUES (-1)');
    await clusters.cluster('shard-a').settled();
    expect(instanceNow('shard-a-2')).toMatchObject({ writer: false, status: 'available' });
  }, 30_000);

  it('outlasts a restart of the runtime', async () => {
    await clusters.stop();
    clusters = await sandbox.clusters();
    expect(instanceNow('shard-a-1').writer).toBe(true);
    expect(await query(cluster.endpoint, login, 'SELECT min(n) AS least FROM planned')).toEqual([
      { least: -1 },
    ]);
  }, 30_000);
});

describe('a killed supervisor', () => {
  it('leaves servers behind that are stopped and started anew', async () => {
    const { pid: supervisor } = JSON.parse(
      await readFile(`${sandbox.stateDirectory}/postgres/supervisor.json`, 'utf8'),
    );
    await clusters.stop();
    clusters = await sandbox.clusters({ restartAfterMs: 100 });
    expect(await isAlive(supervisor)).toBe(false);
    const current = JSON.parse(await readFile(`${sandbox.stateDirectory}/postgres/supervisor.json`, 'utf8'));
    const { pid } = instanceNow('shard-a-1');
    process.kill(current.pid, 'SIGKILL');
    await until('a new server runs', () => {
      const now = instanceNow('shard-a-1');
      return now.status === 'available' && now.pid !== pid;
    });
    expect(await isAlive(pid ?? 0)).toBe(false);
    expect(await isWriter()).toBe(true);
  }, 30_000);
});
