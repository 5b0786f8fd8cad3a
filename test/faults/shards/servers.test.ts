import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type pg from 'pg';
import { ShardClient } from '../../../client/shard-client.ts';
import { bootstrapScript } from '../../../functions/bootstrap/sql.ts';
import { asker } from '../../../functions/failover/probing/ask.ts';
import { judgeShard } from '../../../functions/shards/health/judge-shard.ts';
import { lookAtHealth } from '../../../functions/shards/health/look.ts';
import { connect } from '../../../functions/shared/database.ts';
import { MapApi, viewAnswer } from '../../client/support/map-api.ts';
import { settings } from '../../functions/shards/health-samples.ts';
import { startPostgres, type TestPostgres } from '../../functions/shared/postgres.ts';
import { waitFor } from '../../support/wait-for.ts';

jest.setTimeout(120_000);

const identifier = 'own';
const [first, second] = [`${identifier}-1`, `${identifier}-2`];
const key = '42';
const of = { kind: 'content' };
/** What one look, and one write, may take beside their own bounds: the machine has other work. */
const grace = 1_500;
const timeoutMs = 1_000;
const bounds = { writerWaitMs: 1_000, connectTimeoutMs: 1_000 };

describe('a server of a shard that is', () => {
  let server: TestPostgres;
  let api: MapApi;
  /** A service that has been connected since before. */
  let known: ShardClient;
  const cluster = () => server.clusters.cluster(identifier);
  const instances = () =>
    cluster()
      .describe()
      .instances.map(({ identifier: id, endpoint, writer }) => ({
        ...{ id, ...endpoint, role: writer ? ('writer' as const) : ('reader' as const) },
        status: 'available',
      }));
  const addressOf = (number: number) => {
    const found = instances()[number - 1];
    if (found === undefined) throw new Error(`There is no instance ${number}.`);
    return { host: found.host, port: found.port };
  };
  const service = (options: object = {}) =>
    new ShardClient({
      ...{ api: api.url, apiKey: 'a key', user: 'service', password: 'a service', ...bounds },
      ...{ authorities: [...server.authorities], watchIntervalMs: 100, ...options },
    }).start();

  const open = () =>
    connect({
      ...{ ...addressOf(1), database: 'platform', user: 'service', password: 'a service' },
      authorities: server.authorities,
    });

  /** The health of the shard, and that it took no longer than an instance is given. */
  const look = async () => {
    const subject = { name: 'own', database: 'platform', writer: addressOf(1) };
    const own = { ...settings, timeoutMs };
    const asStats = (options: Parameters<typeof connect>[0]) =>
      connect({ ...options, authorities: server.authorities });
    const parts = {
      ask: asker(asStats, 'mainstay_stats', timeoutMs),
      settings: own,
      now: () => performance.now(),
    };
    const found = judgeShard(subject, await lookAtHealth(subject, instances(), parts), new Date(), own);
    expect(found.tookMs).toBeLessThan(timeoutMs + grace);
    return found;
  };
  const well = () =>
    waitFor(async () => (await look()).state === 'healthy', {
      what: 'the shard to be healthy',
      intervalMs: 300,
    });
  const write = (client: ShardClient) =>
    client.writer(key, of).query('INSERT INTO public.notes DEFAULT VALUES');
  /** How a write of a service that has just started ends, and that it ends within its bounds. */
  const attempt = async (options: object = {}) => {
    const fresh = await service(options);
    const started = performance.now();
    const outcome = await write(fresh).catch((error: unknown) => error);
    expect(performance.now() - started).toBeLessThan(bounds.writerWaitMs + bounds.connectTimeoutMs + grace);
    fresh.close();
    return outcome;
  };
  const readFrom = async () =>
    (await known.reader(key, of).query('SELECT pg_is_in_recovery() AS reader')).rows[0];

  beforeAll(async () => {
    server = await startPostgres();
    const { clusters } = server;
    const login = { masterUsername: 'owner', masterPassword: 'the owner of it' };
    // So that those who log in as Mainstay does, by token, get in.
    const access = { iamAuthentication: true };
    await clusters.ensureCluster({ identifier, name: 'own', database: 'platform', ...login, ...access });
    for (const instance of [first, second])
      await clusters.ensureInstance({ cluster: identifier, identifier: instance });
    await cluster().setConduct({ selfManaged: true, restartAfterMs: null });
    await cluster().administer(first, bootstrapScript());
    await cluster().administer(
      first,
      `CREATE ROLE service LOGIN PASSWORD 'a service';
       GRANT mainstay_client TO service;
       CREATE TABLE public.notes (id bigint GENERATED ALWAYS AS IDENTITY);
       GRANT ALL ON public.notes TO service;
       INSERT INTO mainstay.heartbeat VALUES ('own', 1, 1, now())`,
    );
    const reader = { instance: second, ...addressOf(2), status: 'unknown' };
    api = await MapApi.start(
      viewAnswer([{ shard: 'own', shardEpoch: 1, writer: addressOf(1), readers: [reader] }]),
    );
    known = await service({ writerWaitMs: 30_000 });
    await write(known);
    await well();
    await waitFor(async () => (await readFrom())?.reader === true, { what: 'reads from the reader' });
  }, 120_000);
  afterAll(async () => {
    known.close();
    api.stop();
    await server.stop();
  });

  it('full of connections leaves the shard degraded, refuses new services in time, and serves who is connected', async () => {
    const held: pg.Client[] = [];
    const full = await (async () => {
      for (;;) {
        try {
          held.push(await open());
        } catch (error) {
          return error;
        }
        if (held.length > 200) throw new Error('It is never full.');
      }
    })();
    try {
      expect(full).toMatchObject({ code: '53300' });
      expect(await look()).toMatchObject({
        state: 'degraded',
        reasons: [{ code: 'too-many-connections', instance: first }],
        readers: [{ reachable: true }],
      });
      expect(await attempt()).toMatchObject({
        code: 'unavailable',
        retryable: true,
        cause: { code: '53300' },
      });
      await write(known);
      expect(await readFrom()).toEqual({ reader: true });
    } finally {
      await Promise.all(held.map((client) => client.end()));
    }
    await well();
    expect(await attempt()).toMatchObject({ rowCount: 1 });
  });

  it('shutting down, or not up yet, is down at once, and its reader goes on', async () => {
    const held = await open();
    held.on('error', () => {});
    const { pid } = cluster().describe().instances[0] ?? {};
    if (pid === undefined) throw new Error('The writer does not run.');
    // It waits for those who are connected, and takes nobody else: as while it recovers.
    process.kill(pid, 'SIGTERM');
    const health = await waitFor(
      async () => {
        const found = await look();
        return found.state === 'down' && found;
      },
      { what: 'the writer to be down' },
    );
    expect(health).toMatchObject({
      reasons: [{ code: 'starting', instance: first }],
      readers: [{ reachable: true, role: 'reader' }],
    });
    expect(await attempt()).toMatchObject({ code: 'unavailable', cause: { code: '57P03' } });
    expect(await readFrom()).toEqual({ reader: true });
    await cluster().signal(first, 'SIGKILL');
    await waitFor(() => cluster().describe().instances[0]?.status === 'failed', { what: 'it to be noticed' });
    await cluster().startInstance(first);
    await well();
    expect(await attempt()).toMatchObject({ rowCount: 1 });
    await write(known);
  });

  it('refusing logins leaves the shard degraded, and a service is told why at once', async () => {
    await cluster().administer(first, 'ALTER ROLE mainstay_stats NOLOGIN');
    try {
      const health = await waitFor(
        async () => {
          const found = await look();
          return found.reasons.length === 2 && found;
        },
        { what: 'both to refuse' },
      );
      expect(health).toMatchObject({
        state: 'degraded',
        reasons: [
          { code: 'login-refused', instance: first },
          { code: 'login-refused', instance: second },
        ],
      });
    } finally {
      await cluster().administer(first, 'ALTER ROLE mainstay_stats LOGIN');
    }
    await well();
    expect(await attempt({ password: 'another' })).toMatchObject({ code: '28P01' });
    await write(known);
  });

  it('slow costs its own time and nobody else’s', async () => {
    const delay = (kind: { kind: 'delayed'; ms: number } | { kind: 'open' }) => {
      for (const endpoint of ['writer', first]) server.clusters.setTraffic(identifier, endpoint, kind);
    };
    delay({ kind: 'delayed', ms: 600 });
    try {
      expect(await look()).toMatchObject({
        state: 'down',
        reasons: [{ code: 'timeout', instance: first }],
        readers: [{ reachable: true, role: 'reader' }],
      });
      expect(await attempt()).toMatchObject({ code: 'unavailable', retryable: true });
      expect(await readFrom()).toEqual({ reader: true });
      const started = performance.now();
      await write(known);
      expect(performance.now() - started).toBeGreaterThan(500);
    } finally {
      delay({ kind: 'open' });
    }
    await well();
    expect(await attempt()).toMatchObject({ rowCount: 1 });
  });

  it('down is told at once; what a service waits for is written when it is back', async () => {
    await cluster().signal(first, 'SIGKILL');
    await waitFor(() => cluster().describe().instances[0]?.status === 'failed', { what: 'it to be noticed' });
    const health = await look();
    expect(health).toMatchObject({
      state: 'down',
      writer: { reachable: false },
      readers: [{ reachable: true }],
    });
    expect(['refused', 'unreachable', 'starting']).toContain(health.reasons[0]?.code);
    expect(await attempt()).toMatchObject({ code: 'unavailable', retryable: true });
    expect(await readFrom()).toEqual({ reader: true });
    const waiting = write(known);
    await cluster().startInstance(first);
    expect(await waiting).toMatchObject({ rowCount: 1 });
    await well();
  });
});
