import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { releaseReferences } from '../../functions/recovery/catalog/release-references.ts';
import { Chain, type Link, referredTables } from '../functions/recovery/support/chain.ts';
import { Changer, changingSchema } from '../functions/recovery/support/changes.ts';
import { change, history } from '../functions/recovery/support/random-changes.ts';
import { type Aws, startAwsWorld } from '../functions/recovery/support/world.ts';
import { waitFor } from '../support/wait-for.ts';
import { FragileDatabase } from './support/fragile-database.ts';

jest.setTimeout(3_600_000);

const targetBytes = 32 * 1024;
const table =
  'CREATE TABLE t (id int, body text); INSERT INTO t SELECT n, n::text FROM generate_series(1, 500) n';

let world: Aws;
let fragile: FragileDatabase;

beforeAll(async () => {
  [world, fragile] = await Promise.all([startAwsWorld(), FragileDatabase.start()]);
});

afterAll(async () => {
  await fragile?.close();
  await world?.close();
});

const changerOf = (chain: Chain) => new Changer(() => fragile.database.asOwner(chain.name));

describe('a chain of incremental backups', () => {
  it('holds what the database held at each instant, over two hundred histories', async () => {
    let referred = 0;
    await fc.assert(
      fc.asyncProperty(history(2, 10), async (changes) => {
        const chain = await Chain.of(world, fragile.database, changingSchema);
        const changer = changerOf(chain);
        try {
          await chain.backUp({ targetBytes });
          for (const some of changes) {
            for (const each of some) await changer.apply(each);
            const link = await chain.backUp({ targetBytes });
            expect(await chain.stored(link)).toEqual(link.source);
            referred += referredTables(link).length;
          }
        } finally {
          await changer.close();
        }
      }),
      { numRuns: 200, endOnFailure: true },
    );
    expect(referred).toBeGreaterThan(200);
  });

  it('goes on rightly after crashes that take back what was not on disk', async () => {
    const weak = ['SET synchronous_commit = off'];
    await fc.assert(
      fc.asyncProperty(
        fc.array(change, { maxLength: 6 }),
        fc.array(change, { maxLength: 6 }),
        async (before, after) => {
          const chain = await Chain.of(world, fragile.database, changingSchema);
          for (const changes of [before, after]) {
            const changer = changerOf(chain);
            await changer.apply({ kind: 'sql', statements: weak });
            for (const each of changes) await changer.apply(each);
            const link = await chain.backUp({ targetBytes });
            expect(await chain.stored(link)).toEqual(link.source);
            for (const each of changes) await changer.apply(each);
            await fragile.crash();
            await changer.close();
          }
          const last = await chain.backUp({ targetBytes });
          expect(await chain.stored(last)).toEqual(last.source);
          await chain.endPrepared();
        },
      ),
      { numRuns: 20, endOnFailure: true },
    );
  });

  it('begins anew after a promotion that lost what had been backed up', async () => {
    for (let round = 0; round < 2; round++) {
      const chain = await Chain.of(world, fragile.database, table);
      await fragile.cutOff();
      await chain.sql(
        'UPDATE t SET body = id || body WHERE id < 9',
        'DELETE FROM t WHERE id = 10',
        "INSERT INTO t VALUES (10, '')",
      );
      const lost = await chain.backUp();
      await fragile.promote();
      const first = await chain.backUp();
      expect(referredTables(first)).toEqual([]);
      expect(await chain.stored(first)).toEqual(first.source);
      expect(first.source).not.toEqual(lost.source);
      expect(first.shard.origin.timeline).toBe((lost.shard.origin.timeline ?? 0) + 1);
      // The last checkpoint is of the new timeline by now.
      await chain.sql("UPDATE t SET body = 'new' WHERE id = 499");
      const second = await chain.backUp();
      expect(second.shard.origin.timeline).toBe(first.shard.origin.timeline);
      expect(second.shard.parent).toMatchObject({ backupId: first.run.id });
      expect(await chain.stored(second)).toEqual(second.source);
    }
  });
});

/** Rows of 100 bytes or so: some 75 in a block. */
const fill = (from: number, to: number) =>
  `INSERT INTO t SELECT n, repeat(md5(n::text), 2) FROM generate_series(${from}, ${to}) n`;

describe('the chunks of a table that grew', () => {
  it('stay what they were, and what came after is stored, whatever part of the last block was filled', async () => {
    const chain = await Chain.of(
      world,
      fragile.database,
      `CREATE TABLE t (id int, body text); ${fill(1, 3_000)}`,
    );
    const first = await chain.backUp({ targetBytes });
    await chain.sql(fill(3_001, 6_000));
    const second = await chain.backUp({ targetBytes });
    expect(await chain.stored(second)).toEqual(second.source);
    const of = ({ shard }: Link) => shard.chunks.filter(({ rows: own }) => own?.range.name === 't');
    const keys = new Set(of(second).map(({ key }) => key));
    const kept = of(first).filter(({ key }) => keys.has(key));
    expect(kept).toHaveLength(of(first).length - 1);
    expect(second.shard.parent).toMatchObject({ backupId: first.run.id, origin: first.shard.origin });

    const third = await chain.backUp({ targetBytes });
    expect(new Set(of(third).map(({ key }) => key))).toEqual(keys);
    await chain.sql('DELETE FROM t WHERE id > 1000');
    // What is removed depends on the oldest transaction of all, the table's end on a lock that nobody may be waiting for.
    const shrunk = async () => {
      await chain.sql('VACUUM t');
      return (await chain.blocks('t')) < 40;
    };
    await waitFor(shrunk, { what: 'the table to shrink', intervalMs: 200 });
    const fourth = await chain.backUp({ targetBytes });
    expect(await chain.stored(fourth)).toEqual(fourth.source);
    expect(of(fourth).length).toBeLessThan(of(third).length);
    expect(referredTables(fourth)).toContain('t');
  });
});

describe('an earlier backup', () => {
  const table = `CREATE TABLE t (id int, body text); ${fill(1, 500)}`;

  it('is not referred to by a database that took the place of the one it is of', async () => {
    const chain = await Chain.of(world, fragile.database, table);
    const { name } = chain;
    const owner = await fragile.database.asOwner();
    await owner.query(`CREATE DATABASE ${name}_old TEMPLATE ${name}`);
    await chain.sql("UPDATE t SET body = 'after the copy' WHERE id = 7");
    await chain.backUp();
    await owner.query(`DROP DATABASE ${name}`);
    await owner.query(`ALTER DATABASE ${name}_old RENAME TO ${name}`);
    await owner.end();
    const second = await chain.backUp();
    expect(await chain.stored(second)).toEqual(second.source);
    expect(referredTables(second)).toEqual([]);
  });

  it('is referred to while a session waits for an exclusive lock, by whoever holds the snapshot', async () => {
    const chain = await Chain.of(world, fragile.database, table);
    const first = await chain.backUp();
    const waiting = await fragile.database.asOwner(chain.name);
    let truncated: Promise<unknown> = Promise.resolve();
    const second = await chain.backUp({
      between: async () => {
        truncated = waiting.query('TRUNCATE t');
        await waitForLock(chain.name);
      },
    });
    await truncated;
    await waiting.end();
    expect(referredTables(second)).toContain('t');
    expect(await chain.stored(second)).toEqual(first.source);
  });

  async function waitForLock(name: string): Promise<void> {
    const client = await fragile.database.asOwner(name);
    for (let waits = 0; waits === 0; ) {
      const { rowCount } = await client.query('SELECT FROM pg_locks WHERE NOT granted');
      waits = rowCount ?? 0;
    }
    await client.end();
  }

  it('stays as long as one refers to it, and goes with it', async () => {
    const chain = await Chain.of(world, fragile.database, table);
    const first = await chain.backUp();
    const second = await chain.backUp();
    const third = await chain.backUp();
    const record = await third.run.record();
    expect(record?.parents).toEqual({ 'shard-a': second.run.id });
    expect(record?.references).toEqual(expect.arrayContaining([first.run.id, second.run.id]));
    expect(record).toMatchObject({ sizeBytes: expect.any(Number), referencedBytes: expect.any(Number) });
    expect(record?.referencedBytes).toBeGreaterThan(0);
    for (const { run } of [first, second]) expect(await world.catalog.beginDelete(run.id)).toBe(false);
    expect(await world.catalog.beginDelete(third.run.id)).toBe(true);
    if (record !== undefined) await releaseReferences(world.catalog, record);
    expect(await world.catalog.beginDelete(second.run.id)).toBe(true);
  });
});
