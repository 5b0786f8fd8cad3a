import { describe, expect, it } from '@jest/globals';
import { asker } from '../../../functions/failover/probing/ask.ts';
import { expectedBytes, readIndexBloat, readTableBloat } from '../../../functions/shards/insights/bloat.ts';
import {
  readCandidates,
  readMissing,
  readScanned,
  unusedOf,
} from '../../../functions/shards/insights/indexes.ts';
import { readInsights } from '../../../functions/shards/insights/read-insights.ts';
import { connect } from '../../../functions/shared/database.ts';
import type { TestPostgres } from '../shared/postgres.ts';

/** What the statistics of a prepared database tell, to a role that may read none of its rows. */
export function describeInsights(server: () => TestPostgres): void {
  describe('insights into a prepared shard', () => {
    const prepare = `CREATE SCHEMA shop;
      CREATE TABLE shop.customers (id int PRIMARY KEY, note text);
      CREATE TABLE shop.orders (id int PRIMARY KEY, customer int REFERENCES shop.customers, at timestamptz);
      CREATE INDEX orders_at ON shop.orders (at);
      CREATE INDEX orders_at_again ON shop.orders (at);
      CREATE INDEX customers_note ON shop.customers (note);
      INSERT INTO shop.customers SELECT n, n::text FROM generate_series(1, 100) n;
      INSERT INTO shop.orders SELECT n, 1 + n % 100, now() FROM generate_series(1, 20000) n;`;

    it('names indexes that nobody scans or that are there twice, foreign keys without one, and bloat', async () => {
      const master = await server().connect();
      const stats = await server().connect({ user: 'mainstay_stats' });
      try {
        await master.query(prepare);
        await master.query('DELETE FROM shop.orders WHERE id % 10 <> 0');
        // What a session has counted is seen when it says so.
        await master.query('SELECT pg_stat_force_next_flush()');
        expect(
          await readTableBloat(stats, { deadRows: 10_000, deadShare: 0.2, spareBytes: 0 }),
        ).toMatchObject([{ schema: 'shop', table: 'orders', deadRows: 18_000, deadShare: 0.9 }]);
        // The rows go, and the pages of the indexes stay.
        await master.query('VACUUM ANALYZE shop.orders');
        await master.query(`SET enable_seqscan = off; SELECT FROM shop.customers WHERE note = '7'`);
        await master.query('SELECT pg_stat_force_next_flush()');
        await stats.query('SELECT pg_stat_clear_snapshot()');

        const unused = unusedOf(await readCandidates(stats, 0), new Set(await readScanned(stats)));
        expect(
          unused
            .filter(({ schema }) => schema === 'shop')
            .map(({ index, reason, duplicateOf }) => [index, reason, duplicateOf])
            .sort(),
        ).toEqual([
          ['orders_at', 'never-scanned', null],
          ['orders_at_again', 'duplicate', 'orders_at'],
        ]);
        const missing = await readMissing(stats, 1_000);
        expect(
          missing.filter(({ schema, reason }) => schema === 'shop' && reason === 'foreign-key'),
        ).toMatchObject([{ table: 'orders', columns: ['customer'] }]);
        const bloated = await readIndexBloat(stats, { deadRows: 0, deadShare: 0, spareBytes: 100_000 });
        expect(bloated.filter(({ schema }) => schema === 'shop')).toMatchObject(
          expect.arrayContaining([
            expect.objectContaining({
              index: 'orders_pkey',
              expectedBytes: expectedBytes(2_000, 8),
              proposal: 'REINDEX INDEX CONCURRENTLY "shop"."orders_pkey";',
            }),
          ]),
        );
        // What it proposes does what it says.
        for (const { proposal } of bloated) await master.query(proposal);
        const { rows } = await master.query(`SELECT pg_relation_size('shop.orders_pkey')::int AS bytes`);
        expect(rows[0]?.bytes).toBeLessThanOrEqual(expectedBytes(2_000, 8));
        expect(rows[0]?.bytes).toBeGreaterThan(expectedBytes(2_000, 8) / 2);
      } finally {
        await master.query('DROP SCHEMA IF EXISTS shop CASCADE');
        for (const client of [stats, master]) await client.end();
      }
    });

    it('tells slow statements without a literal, who holds connections, and which instances it did not see', async () => {
      const { host, port, database, authorities } = server();
      const app = await server().connect({ applicationName: 'shop' });
      await app.query('CREATE ROLE slow; GRANT slow TO CURRENT_USER; SET ROLE slow');
      await app.query(`SELECT pg_sleep(0.03), 'S3CR3T' /* S3CR3T */`);
      await app.query(`SET application_name = 'S3CR3T'; RESET application_name`);
      try {
        const ask = asker((options) => connect({ ...options, authorities }), 'mainstay_stats', 5_000);
        const parts = { ask, slowMs: 20, now: () => new Date('2026-11-22T02:00:00Z') };
        const shard = { name: 'shard-a', database, writer: { host, port } };
        const gone = { id: 'gone', host, port: 1, role: 'reader' as const, status: 'available' };
        const found = await readInsights(shard, [gone], parts);
        expect(found).toMatchObject({ shard: 'shard-a', reason: null, unseenInstances: ['gone'] });
        const texts = found.slowStatements?.map(({ text }) => text);
        expect(texts).toContain('SELECT pg_sleep($1), $2');
        expect(JSON.stringify(found)).not.toContain('S3CR3T');
        expect(found.pools).toContainEqual(expect.objectContaining({ application: 'shop', connections: 1 }));
        const nobody = { ...shard, writer: { host, port: 1 } };
        expect(await readInsights(nobody, [], parts)).toMatchObject({
          reason: expect.stringMatching(/^connect: /),
          slowStatements: null,
        });
      } finally {
        await app.query('RESET ROLE; DROP ROLE slow');
        await app.end();
      }
    });
  });
}
