import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DatabaseInstance } from '../../../functions/failover/model.ts';
import { asker } from '../../../functions/failover/probing/ask.ts';
import { judgeShard } from '../../../functions/shards/health/judge-shard.ts';
import { lookAtHealth } from '../../../functions/shards/health/look.ts';
import { countSlow, readCounters } from '../../../functions/shards/statements/count-slow.ts';
import { connect } from '../../../functions/shared/database.ts';
import { waitFor } from '../../support/wait-for.ts';
import { cluster, type TestPostgres } from '../shared/postgres.ts';
import { settings } from './health-samples.ts';

/** Looks at the health of a database that is prepared, with a replica that streams. */
export function describeHealth(server: () => TestPostgres): void {
  describe('a look at the health of a prepared shard', () => {
    const instances: DatabaseInstance[] = [];
    const [first, reader] = [`${cluster}-1`, `${cluster}-2`];

    beforeAll(async () => {
      const { clusters } = server();
      await clusters.ensureInstance({ cluster, identifier: reader });
      for (const { identifier, endpoint, writer } of clusters.cluster(cluster).describe().instances) {
        instances.push({
          id: identifier,
          ...endpoint,
          role: writer ? 'writer' : 'reader',
          status: 'available',
        });
      }
    }, 60_000);
    afterAll(async () => {
      await server().clusters.removeInstance(cluster, reader);
    });

    const open = (options: Parameters<typeof connect>[0]) =>
      connect({ ...options, authorities: server().authorities });
    const look = async (changed: Partial<typeof settings> = {}, user = 'mainstay_stats', to = server()) => {
      const subject = {
        name: 'shard-a',
        database: server().database,
        writer: { host: to.host, port: to.port },
      };
      const own = { ...settings, timeoutMs: 5_000, ...changed };
      const parts = { ask: asker(open, user, own.timeoutMs), settings: own, now: () => performance.now() };
      return judgeShard(subject, await lookAtHealth(subject, instances, parts), new Date(), own);
    };

    it('finds it healthy, each instance in its role, and says how it is loaded', async () => {
      const health = await waitFor(
        async () => {
          const found = await look();
          return found.state === 'healthy' && found.readers[0]?.lag?.streaming === true && found;
        },
        { what: 'the replica to stream' },
      );
      expect(health).toMatchObject({
        reasons: [],
        writer: { instance: first, role: 'writer', reachable: true },
      });
      expect(health.readers).toMatchObject([{ instance: reader, role: 'reader', lag: { streaming: true } }]);
      expect(health.readers[0]?.lag?.seconds).toBeLessThan(5);
      expect(health.writer.load).toMatchObject({
        connections: { usable: 97, used: expect.any(Number) },
        longTransactions: { count: 0 },
        blockedQueries: { count: 0 },
      });
      expect(health.writer.load?.databaseSizeBytes).toBeGreaterThan(1_000_000);
      expect(health.writer.load?.wraparound.usedShare).toBeLessThan(0.01);
    });

    it('sees who waits for a lock, which transactions are open, and leaves those of backups out', async () => {
      const backup = await server().connect({ user: 'mainstay_backup' });
      await backup.query('BEGIN; SELECT 1');
      const [holder, waiter] = [await server().connect(), await server().connect()];
      await holder.query('BEGIN; CREATE TABLE wanted (id int)');
      await holder.query('COMMIT; BEGIN; LOCK TABLE wanted');
      const waiting = waiter.query('SELECT FROM wanted');
      try {
        const health = await waitFor(
          async () => {
            const found = await look({ longTransactionSeconds: 0, blockedSeconds: 0 });
            return (found.writer.load?.blockedQueries.count ?? 0) > 0 && found;
          },
          { what: 'a statement to wait' },
        );
        expect(health.state).toBe('degraded');
        expect(health.reasons.map(({ code, instance }) => [code, instance])).toEqual(
          expect.arrayContaining([
            ['long-transactions', first],
            ['blocked-queries', first],
          ]),
        );
        expect(health.writer.load?.longTransactions.oldestSeconds).toBeGreaterThanOrEqual(0);
      } finally {
        await holder.query('ROLLBACK');
        await waiting;
        await holder.query('DROP TABLE wanted');
        for (const client of [holder, waiter, backup]) await client.end();
      }
    });

    it('tells a writer that is none, one that hangs, and a login that is refused', async () => {
      const address = instances.find(({ id }) => id === reader) ?? server();
      expect(await look({}, 'mainstay_stats', { ...server(), ...address })).toMatchObject({
        state: 'down',
        reasons: expect.arrayContaining([expect.objectContaining({ code: 'wrong-role' })]),
      });
      expect(await look({}, 'nobody')).toMatchObject({
        state: 'degraded',
        reasons: [
          { code: 'login-refused', instance: first },
          { code: 'login-refused', instance: reader },
        ],
      });
      const { clusters } = server();
      for (const endpoint of ['writer', first]) clusters.setTraffic(cluster, endpoint, { kind: 'silent' });
      try {
        const hanging = await look({ timeoutMs: 800 });
        expect(hanging).toMatchObject({
          state: 'down',
          reasons: [{ code: 'timeout', instance: first, message: 'connect: no answer within 800 ms' }],
          readers: [{ reachable: true, role: 'reader', lag: { bytes: null, seconds: null } }],
        });
      } finally {
        for (const endpoint of ['writer', first]) clusters.setTraffic(cluster, endpoint, { kind: 'open' });
      }
    });

    it('counts statements that were slow, and none of Mainstay’s own', async () => {
      const stats = await server().connect({ user: 'mainstay_stats' });
      const app = await server().connect();
      await app.query('CREATE ROLE app; GRANT app TO CURRENT_USER; SET ROLE app');
      try {
        const before = await readCounters(stats, 20);
        for (let run = 0; run < 3; run++) await app.query('SELECT pg_sleep(0.03)');
        await stats.query('SELECT pg_sleep(0.03)');
        const now = await readCounters(stats, 20);
        if (before === undefined || now === undefined) throw new Error('Nobody counts statements.');
        expect(countSlow(before, now, 20)).toBe(3);
        expect(countSlow(now, now, 20)).toBe(0);
        expect(countSlow({ ...before, started: 'earlier' }, now, 20)).toBeUndefined();
      } finally {
        await app.query('RESET ROLE; DROP ROLE app');
        for (const client of [stats, app]) await client.end();
      }
    });
  });
}
