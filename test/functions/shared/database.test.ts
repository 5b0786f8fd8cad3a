import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, withConnection } from '../../../functions/shared/database.ts';
import { rdsRegionOf } from '../../../functions/shared/rds-region.ts';
import { startPostgres, type TestPostgres } from './postgres.ts';

let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startPostgres();
  const master = await postgres.connect();
  await master.query('CREATE ROLE reader LOGIN; GRANT rds_iam TO reader');
  await master.end();
}, 60_000);
afterAll(() => postgres.stop());

describe('a connection to a database', () => {
  it('is made with an IAM token for the user and the instance', async () => {
    postgres.claims.length = 0;
    const client = await postgres.connect({ user: 'reader', applicationName: 'a test' });
    const { rows } = await client.query(
      `SELECT current_user AS user, current_setting('application_name') AS application`,
    );
    await client.end();
    expect(rows).toEqual([{ user: 'reader', application: 'a test' }]);
    expect(postgres.claims).toMatchObject([{ user: 'reader', port: postgres.port }]);
    const token = new URL(`https://${postgres.claims[0]?.token}`);
    expect(token.searchParams.get('Action')).toBe('connect');
    expect(token.searchParams.get('DBUser')).toBe('reader');
  });

  it('is made with a token for the region that an endpoint of RDS is in', () => {
    const region = (host: string) => rdsRegionOf(host);
    expect(region('platform.cluster-c1x2.eu-west-1.rds.amazonaws.com')).toBe('eu-west-1');
    expect(region('one.c1x2.us-gov-west-1.rds.amazonaws.com')).toBe('us-gov-west-1');
    expect(region('one.c1x2.cn-north-1.rds.amazonaws.com.cn')).toBe('cn-north-1');
    for (const other of ['127.0.0.1', 'db.example.com', 'eu-west-1.rds.amazonaws.com.example.com']) {
      expect(region(other)).toBeUndefined();
    }
  });

  it('is not made to a server whose certificate nobody vouches for', async () => {
    await expect(postgres.connect({ authorities: [] })).rejects.toThrow(/certificate/);
  });

  it('is not made to a server whose certificate is for another host', async () => {
    await expect(postgres.connect({ host: '127.1' })).rejects.toThrow(/does not match certificate/);
  });

  it('has a limit of time for its statements, or none', async () => {
    const limited = await postgres.connect({ statementTimeoutMs: 50 });
    await expect(limited.query('SELECT pg_sleep(5)')).rejects.toMatchObject({ code: '57014' });
    await limited.end();
    const unlimited = await postgres.connect({ statementTimeoutMs: 0 });
    expect((await unlimited.query('SHOW statement_timeout')).rows).toEqual([{ statement_timeout: '0' }]);
    await unlimited.end();
  });

  it('fails its next query when it breaks, and nothing else', async () => {
    const client = await postgres.connect();
    const other = await postgres.connect();
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
    await other.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
    await other.end();
    await sleep(50);
    await expect(client.query('SELECT 1')).rejects.toThrow();
    await client.end().catch(() => {});
  });

  it('is ended also when the work on it fails', async () => {
    const { host, port, database, authorities, master } = postgres;
    const options = { host, port, database, authorities, user: master.username, password: master.password };
    const failed = withConnection({ ...options, applicationName: 'failing' }, async () => {
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    const open = "SELECT count(*)::int AS open FROM pg_stat_activity WHERE application_name = 'failing'";
    const { rows } = await withConnection(options, async (client) => {
      await sleep(50);
      return client.query(open);
    });
    expect(rows).toEqual([{ open: 0 }]);
  });
});

describe('a server that accepts connections and says nothing', () => {
  let silent: Server;
  let port: number;

  beforeAll(async () => {
    silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
  });
  afterAll(() => void silent.close());

  it('is given up after the time to connect', async () => {
    const started = performance.now();
    const attempt = connect({
      host: '127.0.0.1',
      port,
      database: 'x',
      user: 'x',
      password: 'x',
      connectTimeoutMs: 100,
    });
    await expect(attempt).rejects.toThrow(/timeout/);
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});
