import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PostgresClusters } from '../../../local/postgres/clusters.ts';
import type { ClusterDescription } from '../../../local/postgres/description.ts';
import { connect, type Login, listens, makeCluster, query, Sandbox, until } from './support.ts';

let sandbox: Sandbox;
let clusters: PostgresClusters;
let cluster: ClusterDescription;
let login: Login;

beforeAll(async () => {
  sandbox = await Sandbox.create();
  clusters = await sandbox.clusters();
  cluster = await makeCluster(clusters, 'shard-a', 2);
  login = { ca: await readFile(clusters.authorityFile, 'utf8') };
}, 60_000);

afterAll(() => sandbox.dispose());

const instance = (number: number) => {
  const found = clusters.cluster('shard-a').describe().instances[number - 1];
  if (found === undefined) throw new Error(`There is no instance ${number}`);
  return found;
};

describe('a cluster', () => {
  it('serves its database to the master user over TLS', async () => {
    const [row] = await query(cluster.endpoint, login, 'SELECT current_user, current_database()');
    expect(row).toEqual({ current_user: 'mainstay_master', current_database: 'platform' });
  });

  it('streams what the writer commits to the reader, which refuses writes', async () => {
    await query(cluster.endpoint, login, `CREATE TABLE streamed AS SELECT 'here' AS place`);
    const reader = await connect(instance(2).endpoint, login);
    await until('the reader has the table', async () => {
      const { rows } = await reader.query(`SELECT to_regclass('streamed') AS found`);
      return rows[0].found !== null;
    });
    await expect(reader.query(`INSERT INTO streamed VALUES ('there')`)).rejects.toMatchObject({
      code: '25006',
    });
    await reader.end();
  });

  it('has a reader endpoint on the same port as the writer', async () => {
    if (process.platform !== 'linux') return;
    expect(cluster.readerEndpoint?.port).toBe(cluster.endpoint.port);
    const address = cluster.readerEndpoint ?? cluster.endpoint;
    expect(await query(address, login, 'SELECT pg_is_in_recovery() AS reader')).toEqual([{ reader: true }]);
  });

  it('gives the master user the rights it has on Aurora, and no more', async () => {
    const client = await connect(cluster.endpoint, login);
    const { rows } = await client.query(
      'SELECT rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolreplication FROM pg_roles WHERE rolname = current_user',
    );
    expect(rows).toEqual([
      { rolsuper: false, rolcreatedb: true, rolcreaterole: true, rolbypassrls: false, rolreplication: false },
    ]);
    await client.query(`
      CREATE EXTENSION btree_gist;
      CREATE ROLE app LOGIN PASSWORD 'secret';
      GRANT pg_read_all_data, pg_monitor TO app;
      GRANT rds_iam TO app;
      REVOKE rds_iam FROM app;
    `);
    await client.query('CREATE DATABASE other');
    await expect(client.query('CREATE EXTENSION file_fdw')).rejects.toMatchObject({ code: '42501' });
    await expect(client.query(`COPY pg_class TO PROGRAM 'id'`)).rejects.toThrow();
    await client.end();
    const [row] = await query(
      cluster.endpoint,
      { ...login, user: 'app', password: 'secret' },
      'SELECT current_user',
    );
    expect(row).toEqual({ current_user: 'app' });
  });

  it('lets the master user create the extensions that Aurora lets it create', async () => {
    await query(
      cluster.endpoint,
      login,
      'CREATE EXTENSION pg_stat_statements; CREATE EXTENSION postgres_fdw',
    );
    const text = `SELECT count(*)::int AS seen FROM pg_stat_statements WHERE query LIKE 'CREATE EXTENSION%'`;
    expect((await query(cluster.endpoint, login, text))[0]?.seen).toBeGreaterThan(0);
  });

  it('still asks the master user for the password after it has created a role with rds_iam', async () => {
    await query(cluster.endpoint, login, 'CREATE ROLE by_token LOGIN; GRANT rds_iam TO by_token');
    expect(await query(cluster.endpoint, login, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('keeps keys and passwords to its owner', async () => {
    for (const name of ['clusters.json', 'tls/ca.key', 'tls/server.key']) {
      const { mode } = await stat(join(sandbox.stateDirectory, 'postgres', name));
      expect({ name, mode: mode & 0o777 }).toEqual({ name, mode: 0o600 });
    }
  });
});

describe('an endpoint', () => {
  const attempt = (change: Partial<Login>) => query(cluster.endpoint, { ...login, ...change }, 'SELECT 1');

  it('refuses a connection without TLS', async () => {
    await expect(attempt({ ca: false })).rejects.toMatchObject({ code: '28000', message: /no encryption/ });
  });

  it('refuses the superuser of the database system', async () => {
    await expect(attempt({ user: 'rdsadmin' })).rejects.toMatchObject({ code: '28000' });
  });

  it('does not tell a wrong password from a role that does not exist', async () => {
    await expect(attempt({ password: 'wrong' })).rejects.toMatchObject({
      code: '28P01',
      message: 'password authentication failed for user "mainstay_master"',
    });
    await expect(attempt({ user: 'nobody_here' })).rejects.toMatchObject({
      code: '28P01',
      message: 'password authentication failed for user "nobody_here"',
    });
  });

  it('passes on what the server says of a database that does not exist', async () => {
    await expect(attempt({ database: 'nowhere' })).rejects.toMatchObject({ code: '3D000' });
  });

  it('refuses a password whose time is over', async () => {
    await query(cluster.endpoint, login, `CREATE ROLE late LOGIN PASSWORD 'p' VALID UNTIL '2020-01-01'`);
    await expect(attempt({ user: 'late', password: 'p' })).rejects.toMatchObject({ code: '28P01' });
  });

  it('passes a cancel request on to the server', async () => {
    const client = await connect(cluster.endpoint, login);
    const key = keyOf(client);
    const sleeping = client.query('SELECT pg_sleep(60)');
    const cancelled = expect(sleeping).rejects.toMatchObject({ code: '57014' });
    await until('the statement runs', async () => {
      const rows = await query(
        cluster.endpoint,
        login,
        `SELECT 1 FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'`,
      );
      return rows.length === 1;
    });
    const socket = connectSocket(cluster.endpoint);
    const request = Buffer.alloc(16);
    [16, 80877102, key.processID, key.secretKey].forEach((value, index) => {
      request.writeInt32BE(value, index * 4);
    });
    socket.end(request);
    await cancelled;
    await client.end();
    socket.destroy();
  });

  it('relays a large result unchanged', async () => {
    const client = await connect(cluster.endpoint, login);
    const text = `SELECT string_agg(md5(g::text), '') AS whole FROM generate_series(1, 400000) g`;
    const { rows } = await client.query(text);
    const digest = await client.query(
      `SELECT encode(sha256(convert_to(whole, 'UTF8')), 'hex') AS digest FROM (${text})`,
    );
    await client.end();
    expect(rows[0].whole).toHaveLength(12_800_000);
    expect(createHash('sha256').update(rows[0].whole).digest('hex')).toBe(digest.rows[0].digest);
  });

  it.each([
    ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a huge packet', Buffer.from('7fffffff00030000', 'hex')],
    ['a tiny packet', Buffer.from('0000000400030000', 'hex')],
    ['an old protocol', Buffer.from('0000000800020000', 'hex')],
    ['nothing', ''],
  ])('drops a client that sends %s', async (_what, bytes) => {
    const socket = connectSocket(cluster.endpoint);
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.end(bytes);
    socket.resume();
    await closed;
    expect(await query(cluster.endpoint, login, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

describe('a restart', () => {
  it('leaves nothing running, and brings everything back as it was', async () => {
    const before = clusters.describe();
    const addresses = before.flatMap(({ endpoint, instances }) => [
      endpoint,
      ...instances.map((one) => one.endpoint),
    ]);
    const temporary = await mainstayLinks();
    await query(cluster.endpoint, login, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await clusters.stop();

    expect(await sandbox.processes()).toEqual([]);
    expect(await Promise.all(addresses.map(listens))).toEqual(addresses.map(() => false));
    expect(await mainstayLinks()).toEqual(temporary);

    clusters = await sandbox.clusters();
    const withoutPids = (description: ClusterDescription) => ({
      ...description,
      instances: description.instances.map(({ pid: _, ...rest }) => rest),
    });
    expect(clusters.describe().map(withoutPids)).toEqual(before.map(withoutPids));
    expect(await query(cluster.endpoint, login, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    await query(cluster.endpoint, login, 'INSERT INTO kept VALUES (43)');
    await until('the reader has the new row', async () => {
      const [row] = await query(instance(2).endpoint, login, 'SELECT count(*)::int AS rows FROM kept');
      return row?.rows === 2;
    });
  }, 60_000);
});

/** Directories that short paths to sockets may need. */
async function mainstayLinks(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('mainstay-pg-'));
}

function keyOf(client: object): { processID: number; secretKey: number } {
  const processID: unknown = Reflect.get(client, 'processID');
  const secretKey: unknown = Reflect.get(client, 'secretKey');
  if (typeof processID !== 'number' || typeof secretKey !== 'number') throw new Error('No backend key');
  return { processID, secretKey };
}
