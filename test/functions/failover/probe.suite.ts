import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Address, DatabaseInstance, ProbeRecord } from '../../../functions/failover/model.ts';
import { asker } from '../../../functions/failover/probing/ask.ts';
import { judge } from '../../../functions/failover/probing/judge.ts';
import { lookAtShard } from '../../../functions/failover/probing/look-at-shard.ts';
import { connect } from '../../../functions/shared/database.ts';
import { waitFor } from '../../support/wait-for.ts';
import { cluster, type TestPostgres } from '../shared/postgres.ts';

interface Options {
  epoch: number;
  /** How long an instance may take, in milliseconds. */
  within: number;
  /** Where the shard map leads. */
  writer: Address;
}

/** Probes of a database that is prepared, with a replica that streams. */
export function describeProbes(server: () => TestPostgres): void {
  describe('a probe of a prepared shard', () => {
    const timeoutMs = 5_000;
    const instances: DatabaseInstance[] = [];
    const reader = `${cluster}-2`;

    beforeAll(async () => {
      const { clusters } = server();
      await clusters.ensureInstance({ cluster, identifier: reader });
      for (const { identifier, endpoint, writer } of clusters.cluster(cluster).describe().instances) {
        const role = writer ? 'writer' : 'reader';
        instances.push({ id: identifier, ...endpoint, role, status: 'available' });
      }
    }, 60_000);
    afterAll(async () => {
      await server().clusters.removeInstance(cluster, reader);
    });

    const addressOf = (wanted: string): Address => {
      const { host, port } = instances.find(({ id }) => id === wanted) ?? server();
      return { host, port };
    };
    const look = ({ epoch = 1, within = timeoutMs, writer = server() }: Partial<Options> = {}) => {
      const { database, authorities } = server();
      const shard = { name: 'shard-a', epoch, database, writer: { host: writer.host, port: writer.port } };
      const open = (options: Parameters<typeof connect>[0]) => connect({ ...options, authorities });
      const ask = asker(open, 'mainstay_probe', within);
      return lookAtShard(shard, instances, { ask, timeoutMs: within, now: Date.now });
    };
    const probe = async (previous?: ProbeRecord, options: Partial<Options> = {}): Promise<ProbeRecord> =>
      judge({
        shard: 'shard-a',
        epoch: options.epoch ?? 1,
        at: new Date(),
        findings: await look(options),
        cutOff: false,
        previous,
      });
    const heartbeat = async () => {
      const master = await server().connect();
      const { rows } = await master.query(
        `SELECT epoch::int AS epoch, beat::int AS beat, now() - at < interval '1 minute' AS fresh
           FROM mainstay.heartbeat WHERE shard = 'shard-a'`,
      );
      await master.end();
      return rows;
    };

    it('writes one row, again and again, and sees that the replica gets it', async () => {
      const first = await probe();
      expect(first).toMatchObject({
        ok: true,
        writerInstance: `${cluster}-1`,
        consecutiveFailures: 0,
        otherWriters: [],
        fenced: [],
        readers: [{ instance: reader, reachable: true, streaming: true, lagBytes: 0 }],
      });
      expect(first.readers[0]?.lagSeconds).toBeLessThan(5);
      const second = await probe(first, { epoch: 2 });
      expect(second).toMatchObject({ ok: true, writerLsn: expect.any(String) });
      expect(await heartbeat()).toEqual([{ epoch: 2, beat: 2, fresh: true }]);
    });

    it('measures what a replica has received and not replayed', async () => {
      const { user, password } = { user: server().master.username, password: server().master.password };
      const writer = await server().connect();
      await writer.query('CREATE TABLE held (id int)');
      const standby = await server().connect({ ...addressOf(reader), user, password });
      await waitFor(
        async () => (await standby.query(`SELECT to_regclass('public.held') AS it`)).rows[0]?.it !== null,
        { what: 'the table on the replica' },
      );
      // A reader holds replay up that would take its table away.
      await standby.query('BEGIN');
      await standby.query('SELECT FROM public.held');
      await writer.query('DROP TABLE held');
      await writer.end();
      try {
        const record = await probe(await probe());
        const [observed] = record.readers;
        expect(record).toMatchObject({ ok: true, readers: [{ streaming: true, lagBytes: 0 }] });
        // It has been asked for longer than that.
        expect(observed?.lagSeconds).toBeGreaterThan(0.3);
        expect(observed?.replayedLsn).not.toBe(observed?.receivedLsn);
      } finally {
        await standby.end();
      }
      expect((await probe()).readers[0]?.lagSeconds).toBeLessThan(0.3);
    });

    it('tells a replica, a fenced writer and a hanging one from a writer', async () => {
      const good = await probe();
      expect(await probe(good, { writer: addressOf(reader) })).toMatchObject({
        ok: false,
        reason: 'identify: it is a replica',
        writerInstance: `${cluster}-1`,
      });
      const master = await server().connect();
      await master.query('ALTER ROLE mainstay_probe SET default_transaction_read_only = on');
      expect(await probe(good)).toMatchObject({
        ok: false,
        reason: expect.stringContaining('write: cannot execute INSERT in a read-only transaction'),
        writerInstance: `${cluster}-1`,
      });
      await master.query('ALTER ROLE mainstay_probe RESET default_transaction_read_only');
      // It lacks what bootstrap makes, as every replica of it does: it counts as failing, and is a writer nevertheless.
      await master.query('ALTER TABLE mainstay.heartbeat RENAME TO unknown');
      expect(await look()).toMatchObject({
        writer: { heard: true, value: { identity: { replica: false } } },
      });
      expect(await probe(good)).toMatchObject({
        ok: false,
        reason: 'write: relation "mainstay.heartbeat" does not exist',
        writerInstance: `${cluster}-1`,
      });
      await master.query('ALTER TABLE mainstay.unknown RENAME TO heartbeat');
      // Somebody holds the row: the writer is up, and does not serve.
      await master.query('BEGIN');
      await master.query('UPDATE mainstay.heartbeat SET beat = beat');
      const started = performance.now();
      const held = await probe(good, { within: 600 });
      expect(performance.now() - started).toBeLessThan(5_000);
      expect(held).toMatchObject({
        ok: false,
        consecutiveFailures: 1,
        reason: expect.stringMatching(/^write: /),
      });
      expect(held).toMatchObject({
        writerLsn: good.writerLsn,
        readers: [{ reachable: true, streaming: true }],
      });
      await master.query('ROLLBACK');
      await master.end();
      expect(await probe(held)).toMatchObject({ ok: true, consecutiveFailures: 0 });
    });
  });
}
