import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { connectTo } from '../e2e/support/databases.ts';
import { definitionsIn, sequencesIn } from '../e2e/support/definitions.ts';
import { database, HandRestore, shardName } from '../e2e/support/hand-restore.ts';

describe('a backup without Mainstay', () => {
  let hand: HandRestore;

  beforeAll(async () => {
    hand = await HandRestore.open();
  });
  afterAll(() => hand?.close());

  it('is read by a program that has nothing of Mainstay', async () => {
    const program = await readFile(new URL('../e2e/support/restore-by-hand.ts', import.meta.url), 'utf8');
    const imports = [...program.matchAll(/\b(?:from|import) '([^']+)'|\bimport\(/g)].map(([, from]) => from);
    expect(imports.length).toBeGreaterThan(5);
    for (const from of imports) expect(from).toMatch(/^(node:|@aws-crypto\/|@aws-sdk\/|pg|zod)/);
  });

  it('becomes a database with every row of the original', async () => {
    const { backups, backup, shard } = hand;
    const source = await connectTo(backups.local, shardName);
    await source.query(backup.createDatabase(shard, database));
    const target = await connectToDatabase(source, database);
    try {
      await backup.prepare(source);
      await backup.prepare(target);
      await backup.restore(shard, target, async () => {
        for (const table of shard.tables) {
          const { schema, name, rows, digest } = table;
          expect({ schema, name, ...(await backup.digestIn(target, table)) }).toEqual({
            schema,
            name,
            rows,
            digest,
          });
        }
      });
      expect(shard.tables.length).toBeGreaterThan(40);
      // Row security is back: it hides nothing from owners, and would be an error for anybody else.
      for (const client of [source, target]) await client.query('SET row_security = off');
      for (const table of shard.tables) {
        const copies = [await backup.digestIn(source, table), await backup.digestIn(target, table)];
        expect({ table: table.name, ...copies[0] }).toEqual({ table: table.name, ...copies[1] });
      }
      expect(await definitionsIn(target)).toEqual(await definitionsIn(source));
      expect(await sequencesIn(target)).toEqual(await sequencesIn(source));
    } finally {
      await target.end();
      await source.end();
    }
  });
});

/** Connects to another database as somebody who is connected already. */
async function connectToDatabase(client: pg.Client, name: string): Promise<pg.Client> {
  const { host, port, user, password, ssl } = client;
  const other = new pg.Client({ host, port, user, password, ssl, database: name });
  other.on('error', () => {});
  await other.connect();
  return other;
}
