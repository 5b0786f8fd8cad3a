import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ShardClientOptions } from '../../client/index.ts';
import { ShardClient } from '../../client/shard-client.ts';
import { bootstrapScript } from '../../functions/bootstrap/sql.ts';
import type { TestPostgres } from '../functions/shared/postgres.ts';
import { waitFor } from '../support/wait-for.ts';
import { type FakeShard, MapApi, viewAnswer } from './support/map-api.ts';

jest.setTimeout(60_000);

const identifier = 'client';
const key = '42';
const of = { kind: 'content' };
const count = 'SELECT count(*)::int AS n FROM public.notes';

/** A service's way to a shard that nobody manages, with a reader: so that an old writer lives on beside the new one. */
export function describeClient(server: () => TestPostgres): void {
  describe('the client of a service', () => {
    let api: MapApi;
    let client: ShardClient;
    const cluster = () => server().clusters.cluster(identifier);
    const administer = (number: number, sql: string) => cluster().administer(`${identifier}-${number}`, sql);
    const addressOf = (number: number) => {
      const found = cluster().describe().instances[number - 1]?.endpoint;
      if (found === undefined) throw new Error(`There is no instance ${number}.`);
      return found;
    };
    const shard = (writer: number, reader: number, shardEpoch: number): FakeShard => ({
      ...{ shard: 'own', shardEpoch, writer: addressOf(writer) },
      readers: [{ instance: `${identifier}-${reader}`, ...addressOf(reader), status: 'unknown' }],
    });
    const options = (change: Partial<ShardClientOptions> = {}): ShardClientOptions => ({
      ...{ api: api.url, apiKey: 'a key', user: 'service', password: () => 'a service' },
      ...{ authorities: [...server().authorities], watchIntervalMs: 100, refreshMs: 60_000 },
      ...change,
    });
    const instances = (of = client) => of.status().shards[0]?.instances ?? [];
    const readsFromReader = async () =>
      (await client.reader(key, of).query('SELECT pg_is_in_recovery() AS reader')).rows[0]?.reader === true;
    const notes = async (how: Parameters<ShardClient['reader']>[1]) =>
      (await client.reader(key, how).query(count)).rows[0]?.n;

    beforeAll(async () => {
      const { clusters } = server();
      const login = { masterUsername: 'owner', masterPassword: 'the owner of it' };
      await clusters.ensureCluster({ identifier, name: 'own', database: 'platform', ...login });
      for (const number of [1, 2]) {
        await clusters.ensureInstance({ cluster: identifier, identifier: `${identifier}-${number}` });
      }
      await cluster().setConduct({ selfManaged: true, restartAfterMs: null });
      await administer(1, bootstrapScript());
      await administer(
        1,
        `CREATE ROLE service LOGIN PASSWORD 'a service';
         GRANT mainstay_client TO service;
         CREATE TABLE public.notes (id int PRIMARY KEY);
         GRANT ALL ON public.notes TO service;
         INSERT INTO mainstay.heartbeat VALUES ('own', 1, 1, now())`,
      );
      api = await MapApi.start(viewAnswer([shard(1, 2, 1)]));
      client = await new ShardClient(options()).start();
    }, 60_000);
    afterAll(async () => {
      client.close();
      api.stop();
      await server().clusters.removeCluster(identifier);
    });

    it('writes to the writer and reads from the reader, and from the writer without one that is in lag', async () => {
      expect(client.route(key, 'content')).toMatchObject({ shard: 'own', slot: 3784, shardEpoch: 1 });
      const writer = client.writer(key, of);
      await writer.query('INSERT INTO public.notes VALUES ($1)', [1]);
      const after = await writer.position();
      expect(await notes({ ...of, after })).toBe(1);
      await waitFor(readsFromReader, { what: 'reads from the reader' });
      const reads = client.reader(key, { ...of, preference: 'primary' });
      expect((await reads.query('SELECT pg_is_in_recovery() AS reader')).rows).toEqual([{ reader: false }]);
      await expect(reads.query('DELETE FROM public.notes')).rejects.toMatchObject({ code: '25006' });
      expect(new Set(api.keys)).toEqual(new Set(['Bearer a key']));
    });

    it('has a write count as done when it was asked to', async () => {
      const setting = async (durability?: 'applied' | 'majority' | 'writer') =>
        client
          .writer(key, of)
          .transaction(
            async (session) => (await session.query('SHOW synchronous_commit')).rows[0]?.synchronous_commit,
            durability === undefined ? {} : { durability },
          );
      expect(await setting()).toBe('on');
      expect(await setting('applied')).toBe('remote_apply');
      expect(await setting('writer')).toBe('local');
    });

    it('rolls back what fails, and tells the service’s own errors from those of the connection', async () => {
      const own = new Error('the service’s own');
      const writer = client.writer(key, of);
      await expect(
        writer.transaction(async (session) => {
          await session.query('INSERT INTO public.notes VALUES (99)');
          throw own;
        }),
      ).rejects.toBe(own);
      await expect(
        client.reader(key, of).transaction(async () => {
          throw own;
        }),
      ).rejects.toBe(own);
      await expect(
        writer.transaction(async (session) => {
          await session.query('INSERT INTO public.notes VALUES (1)').catch(() => {});
        }),
      ).rejects.toThrow('rolled back');
      expect(await notes({ ...of, preference: 'primary' })).toBe(1);
    });

    it('shows a service what it has written although the reader lags, and leaves a reader that lags too much', async () => {
      await administer(2, 'SELECT pg_wal_replay_pause()');
      const writer = client.writer(key, of);
      await writer.query('INSERT INTO public.notes VALUES (2)');
      const after = await writer.position();
      // What a reader gives without a position may be of before.
      expect(await notes({ ...of, maxLagSeconds: 60 })).toBe(1);
      expect(await notes({ ...of, maxLagSeconds: 60, after })).toBe(2);
      await waitFor(() => (instances()[1]?.lagSeconds ?? 0) > 0.5, { what: 'the reader to lag' });
      expect(await notes({ ...of, maxLagSeconds: 0.3 })).toBe(2);
      // As long as it waits, the reader comes to have it.
      const patient = await new ShardClient(options({ positionWaitMs: 20_000 })).start();
      const first = patient.reader(key, { ...of, after, maxLagSeconds: 86_400 });
      await waitFor(() => first.query('SELECT 1').then(() => instances(patient)[1]?.reachable), {
        what: 'the reader to be seen',
      });
      await administer(2, 'SELECT pg_wal_replay_resume()');
      expect((await first.query(count)).rows).toEqual([{ n: 2 }]);
      patient.close();
      await waitFor(readsFromReader, { what: 'reads from the reader' });
    });

    it('refuses more than may wait, and goes on afterwards', async () => {
      const small = await new ShardClient(options({ maxConnections: 1, maxWaiting: 1 })).start();
      const sleep = () => small.writer(key, of).query('SELECT pg_sleep(0.3)');
      const outcomes = await Promise.allSettled([sleep(), sleep(), sleep()]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
      expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
        reason: { code: 'busy', retryable: true },
      });
      expect((await small.writer(key, of).query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
      small.close();
      expect(() => small.writer(key, of)).toThrow('closed');
    });

    it('goes on at the new writer after a failover, and an old one that lives on is refused', async () => {
      const stale = await MapApi.start(api.answer);
      const impatient = { writerWaitMs: 500, refreshMs: 600_000 };
      const late = await new ShardClient(options({ ...impatient, api: stale.url })).start();
      await late.writer(key, of).query('SELECT 1');
      let promoted = false;
      const writing = (async () => {
        const written: number[] = [];
        for (let id = 100; written.filter((each) => each >= 200).length < 5; id++) {
          // Numbers from 200 on are sent after the failover.
          if (promoted && id < 200) id = 200;
          const done = await client
            .writer(key, of)
            .query('INSERT INTO public.notes VALUES ($1)', [id])
            .then(
              () => true,
              (error) => {
                if (!['outcome-unknown', 'stale-writer', 'unavailable'].includes(error.code)) throw error;
                return false;
              },
            );
          if (done) written.push(id);
          if (id >= 10_000) throw new Error('nothing was written');
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        return written;
      })();
      await waitFor(async () => Number(await notes({ ...of, preference: 'primary' })) > 5, {
        what: 'writes',
      });
      const wrote = await client.writer(key, of).position();
      // As a failover does: the old writer takes nothing more, the new one is proved by a heartbeat, then the map moves.
      await administer(1, `ALTER SYSTEM SET default_transaction_read_only = on`);
      await administer(1, 'SELECT pg_reload_conf()');
      await administer(2, 'SELECT pg_promote()');
      await administer(2, `UPDATE mainstay.heartbeat SET epoch = 2 WHERE shard = 'own'`);
      // The old one is opened again by somebody who knows nothing of it.
      await administer(1, 'ALTER SYSTEM RESET default_transaction_read_only');
      await administer(1, 'SELECT pg_reload_conf()');
      await expect(
        waitFor(
          () =>
            late
              .writer(key, of)
              .query('INSERT INTO public.notes VALUES (-1) ON CONFLICT DO NOTHING')
              .then(() => false),
          {
            what: 'a stale client to be refused',
          },
        ),
      ).rejects.toMatchObject({
        code: 'unavailable',
        cause: { code: 'stale-writer', message: expect.stringContaining('epoch 1') },
      });
      api.answer = viewAnswer([shard(2, 1, 2)]);
      promoted = true;
      const written = await writing;
      const there = await client
        .reader(key, { ...of, preference: 'primary' })
        .query('SELECT id FROM public.notes');
      const ids = new Set(there.rows.map(({ id }) => id));
      expect(written.filter((id) => id >= 200 && !ids.has(id))).toEqual([]);
      expect(await administer(1, 'SELECT count(*)::int AS n FROM public.notes WHERE id >= 200')).toEqual([
        { n: 0 },
      ]);
      // The old writer is named as a reader, and is none.
      for (let turn = 0; turn < 4; turn++) expect(await readsFromReader()).toBe(false);
      expect(await notes({ ...of, after: wrote })).toBe(ids.size);
      late.close();
      stale.stop();
    });

    it('says of a lost connection whether anything can have been written', async () => {
      const writer = client.writer(key, of);
      const lost = (error: unknown) => error;
      const open = writer
        .transaction(async (session) => {
          await session.query('INSERT INTO public.notes VALUES (-2)');
          await session.query('SELECT pg_sleep(60)');
        })
        .catch(lost);
      const single = writer.query('INSERT INTO public.notes SELECT -3 FROM pg_sleep(60)').catch(lost);
      await waitFor(
        async () =>
          (await administer(2, `SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'`)).length === 2,
        { what: 'statements to run' },
      );
      await cluster().signal(`${identifier}-2`, 'SIGKILL');
      expect(await open).toMatchObject({ code: 'unavailable', retryable: true });
      expect(await single).toMatchObject({ code: 'outcome-unknown', retryable: false });
      const next = writer.query('SELECT 1 AS one');
      await waitFor(() => cluster().describe().instances[1]?.status === 'failed', {
        what: 'it to be noticed',
      });
      await cluster().startInstance(`${identifier}-2`);
      expect((await next).rows).toEqual([{ one: 1 }]);
    });
  });
}
