import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type pg from 'pg';
import type { CountedTable } from '../../../../functions/bootstrap/contract.ts';
import { prepareDatabase } from '../../../../functions/bootstrap/prepare-database.ts';
import { analyzeShard, rateOf } from '../../../../functions/shards/balance/analysis/analyze-shard.ts';
import { sampleOf } from '../../../../functions/shards/balance/analysis/count-table.ts';
import { pinnedSlot } from '../../../../functions/shards/balance/analysis/model.ts';
import { hashKey } from '../../../../functions/shards/hash/keys.ts';
import { slotOf } from '../../../../functions/shards/map/shard-map.ts';
import type { TestPostgres } from '../../shared/postgres.ts';
import { balance } from './settings.ts';

/** Counting on a database that is prepared. */
export function describeAnalysis(server: () => TestPostgres): void {
  describe('an analysis of a prepared shard', () => {
    let master: pg.Client;
    let stats: pg.Client;
    const slots = 64;
    const people = 3_000;
    const named = (name: string, key: string, tenant?: string): CountedTable => ({
      ...{ schema: 'counted', table: name, key, ...(tenant !== undefined && { tenant }) },
    });
    const all = [
      named('people', 'id', 'tenant_id'),
      named('people', 'note', 'tenant_id'),
      named('posts', 'person'),
      named('guarded', 'id'),
      named('chosen', 'id', 'choice'),
      named('shown', 'id'),
    ];

    beforeAll(async () => {
      master = await server().connect();
      await master.query(`
        CREATE SCHEMA counted;
        CREATE TABLE counted.people (id bigint PRIMARY KEY, tenant_id text, note text, twice bigint GENERATED ALWAYS AS (id * 2) VIRTUAL);
        INSERT INTO counted.people SELECT n, CASE WHEN n % 3 = 0 THEN 'large' WHEN n % 10 = 1 THEN 'pinned' ELSE 'small-' || n % 50 END, repeat('x', 100)
          FROM generate_series(1, ${people}) AS n;
        CREATE DOMAIN counted.number AS bigint;
        CREATE TABLE counted.posts (id bigint, person counted.number, body text) PARTITION BY RANGE (id);
        CREATE TABLE counted.posts_old PARTITION OF counted.posts FOR VALUES FROM (0) TO (5000);
        CREATE TABLE counted.posts_new PARTITION OF counted.posts FOR VALUES FROM (5000) TO (1000000);
        INSERT INTO counted.posts SELECT n, 1 + n % 40, repeat('y', 200) FROM generate_series(0, 19999) AS n;
        CREATE TABLE counted.guarded (id bigint);
        ALTER TABLE counted.guarded ENABLE ROW LEVEL SECURITY;
        CREATE TYPE counted.choice AS ENUM ('yes');
        CREATE TABLE counted.chosen (id bigint, choice counted.choice);
        CREATE VIEW counted.shown AS SELECT * FROM counted.people;
        ANALYZE counted.people, counted.posts;`);
      await prepareDatabase(master, 'shard-a', all);
      stats = await server().connect({ user: 'mainstay_stats' });
    });
    afterAll(async () => {
      await stats.end();
      await master.query('DROP SCHEMA counted CASCADE');
      await master.end();
    });

    const table = (kind: string, name: string, column: string) => ({
      ...{ kind, keyType: 'int8' as const, table: `counted.${name}`, column },
    });
    const analyze = (tables: ReturnType<typeof table>[], more: Partial<typeof balance> = {}) => {
      const on = { instance: 'one', role: 'writer' as const, client: stats };
      return analyzeShard(on, [on], {
        counted: { tables, tenantColumn: 'tenant_id', tenantColumns: {}, pinnedTenants: ['pinned'] },
        balance: { ...balance, ...more },
        ...{ slots, earlier: [], run: 'run', now: Date.now },
      });
    };

    it('counts each row in the slot of its key, and those of pinned tenants by themselves', async () => {
      const { found, slots: counted } = await analyze([table('user', 'people', 'id')]);
      const expected = new Map<number, number>();
      for (let id = 1; id <= people; id += 1) {
        const slot = id % 3 !== 0 && id % 10 === 1 ? pinnedSlot : slotOf(hashKey('int8', String(id)), slots);
        expected.set(slot, (expected.get(slot) ?? 0) + 1);
      }
      expect(new Map(counted.map(({ slot, rows }) => [slot, rows[0]]))).toEqual(expected);
      const [size] = found.tables;
      expect(size).toMatchObject({ table: 'counted.people', kind: 'user', rows: people });
      expect(size?.sample).toBeUndefined();
      expect(counted.reduce((sum, { bytes }) => sum + bytes, 0)).toBeCloseTo(size?.bytes ?? 0, 3);
      expect(found.tenants[0]).toMatchObject({ tenant: 'large', rows: { user: people / 3 }, pinned: false });
      expect(found.missing).toEqual([]);
    });

    it('counts partitions with their table, and says which tables it cannot count', async () => {
      const { found, slots: counted } = await analyze([
        table('content', 'posts', 'person'),
        table('content', 'nothing', 'id'),
        table('content', 'guarded', 'id'),
        table('content', 'people', 'note'),
      ]);
      expect(found.tables.map(({ table: name, rows }) => [name, rows])).toEqual([['counted.posts', 20_000]]);
      expect(counted.reduce((sum, { rows }) => sum + (rows[0] ?? 0), 0)).toBe(20_000);
      expect(found.missing.map(({ table: name }) => name)).toEqual([
        ...['counted.nothing', 'counted.guarded', 'counted.people'],
      ]);
      expect(found.missing[1]?.reason).toMatch(/row-level security/);
    });

    it('samples what is large, and is not further off than it says', async () => {
      const exact = await analyze([table('content', 'posts', 'person')]);
      const sampled = await analyze([table('content', 'posts', 'person')], { sampleRows: 4_000 });
      const { rows = 0, sample } = sampled.found.tables[0] ?? {};
      expect(sample?.percent).toBeCloseTo(20, 0);
      expect(Math.abs(rows / 20_000 - 1) * 100).toBeLessThanOrEqual(2 * (sample?.totalErrorPercent ?? 0));
      const off = sampled.slots.filter(({ slot, rows: [found = 0] }) => {
        const truth = exact.slots.find((each) => each.slot === slot)?.rows[0] ?? 0;
        return Math.abs(found / truth - 1) * 100 > 1.5 * (sample?.slotErrorPercent ?? 0);
      });
      expect(off.length).toBeLessThanOrEqual(sampled.slots.length / 5);
    });

    it('lets the role see numbers, and no row', async () => {
      await expect(stats.query('SELECT FROM counted.people')).rejects.toMatchObject({ code: '42501' });
      await expect(
        stats.query(
          `SELECT * FROM mainstay.count_slots(0::oid::regclass, 'id', 'pg_sleep', 64, NULL, '{}', 100, 1)`,
        ),
      ).rejects.toThrow('no hash that slots are made by');
    });

    describe('tells nothing but what the deployment has counted', () => {
      const oid = `(SELECT oid FROM pg_class WHERE relnamespace = 'counted'::regnamespace AND relname = $1)::regclass`;
      const slotsOf = (name: string, key: string, tenant: string | null = null, slotsOfMap = slots) =>
        stats.query(
          `SELECT * FROM mainstay.count_slots(${oid}, $2, 'hashint8extended', $3, $4, '{}', 100, 1)`,
          [name, key, slotsOfMap, tenant],
        );
      const tenantsOf = (name: string, tenant: string) =>
        stats.query(`SELECT * FROM mainstay.count_tenants(${oid}, $2, 100, 1, 20)`, [name, tenant]);
      const refused = (message: string) =>
        expect.objectContaining({ code: '42501', message: expect.stringContaining(message) });

      it.each([
        ['another column’s frequent values', () => tenantsOf('people', 'note'), 'by note'],
        ['those of a table without tenants', () => tenantsOf('posts', 'person'), 'by person'],
        ['a key that is not the table’s', () => slotsOf('posts', 'id'), 'by id'],
        ['tenants by another column', () => slotsOf('people', 'id', 'note'), 'by id and note'],
        ['a partition by itself', () => slotsOf('posts_old', 'person'), 'counted.posts_old'],
        ['a view of that name', () => slotsOf('shown', 'id'), 'counted.shown'],
        [
          'values of a type that its owner can give casts',
          () => tenantsOf('chosen', 'choice'),
          'counted.choice',
        ],
      ])('%s', async (_, ask, message) => {
        await expect(ask()).rejects.toEqual(refused(message));
      });

      it('keys in more slots than a map has', async () => {
        const more = slotsOf('people', 'id', null, 2 ** 20);
        await expect(more).rejects.toThrow('no maps of 1048576 slots');
      });

      it('and lets no role of a function say what that is', async () => {
        const { rows } = await master.query(
          `SELECT rolname FROM pg_roles
            WHERE rolname LIKE 'mainstay\\_%' AND rolname <> 'mainstay_master'
              AND has_table_privilege(rolname, 'mainstay.counted', 'INSERT, UPDATE, DELETE, TRUNCATE')`,
        );
        expect(rows).toEqual([]);
      });

      it('tables that are not named any more', async () => {
        await prepareDatabase(master, 'shard-a', [named('posts', 'person')]);
        await expect(tenantsOf('people', 'tenant_id')).rejects.toEqual(refused('counted.people'));
        expect((await slotsOf('posts', 'person')).rows.length).toBeGreaterThan(0);
      });
    });
  });

  describe('what a table does a second', () => {
    const at = (seconds: number, reads: number, instance = 'one') => ({
      ...{ instance, at: new Date(seconds * 1000).toISOString(), tuples: { t: reads } },
    });
    it('is what its counters gained since the last analysis', () => {
      expect(rateOf('t', at(1000, 5000), [at(900, 3000)], 50)).toBe(20);
    });
    it.each([
      ['nobody looked before', []],
      ['the counters began anew', [at(900, 9000)]],
      ['it was just now', [at(999, 4999)]],
      ['it was another instance', [at(900, 3000, 'two')]],
    ])('is what they are since they began, where %s', (_, earlier) => {
      expect(rateOf('t', at(1000, 5000), earlier, 50)).toBe(100);
    });
  });

  it('knows a sample of clustered rows to be worse than one of scattered rows', () => {
    const half = (each: (slot: number) => number) =>
      Array.from({ length: 64 }, (_, slot) => ({ slot, n: each(slot) }));
    const scattered = sampleOf([half(() => 101), half(() => 99)], 10, 1_000);
    const clustered = sampleOf(
      [half((slot) => (slot % 2) * 200), half((slot) => 200 - (slot % 2) * 200)],
      10,
      1_000,
    );
    expect(scattered.slotErrorPercent).toBeLessThan(5);
    expect(clustered.slotErrorPercent).toBe(100);
  });
}
