import { onShard } from './databases.ts';
import type { LocalJson } from './local-platform.ts';

const rowBytes = 8_192;
/** Rows repeat only after this many: further apart than any compressor looks back. */
const distinctRows = 1_024;

/**
 * Makes a table of wide rows that compress little, filled by the server. It is unlogged: no standby has to copy it.
 *
 * @param megabytes size of its rows.
 */
export async function createBigTable(local: LocalJson, shard: string, megabytes: number): Promise<void> {
  const rows = Math.ceil((megabytes * 1_000_000) / rowBytes);
  await onShard(local, shard, async (client) => {
    await client.query('DROP SCHEMA IF EXISTS big CASCADE; CREATE SCHEMA big');
    await client.query(`
      CREATE UNLOGGED TABLE big.rows (id integer, body text);
      ALTER TABLE big.rows ALTER COLUMN body SET STORAGE EXTERNAL;
      CREATE TEMPORARY TABLE bodies AS
        SELECT n, (SELECT string_agg(md5(n || '/' || m), '') FROM generate_series(1, ${rowBytes / 32}) AS m) AS body
        FROM generate_series(0, ${distinctRows - 1}) AS n;
      INSERT INTO big.rows SELECT r, b.body FROM generate_series(1, ${rows}) AS r JOIN bodies b ON b.n = r % ${distinctRows} ORDER BY r;`);
  });
}

export async function dropBigTable(local: LocalJson, shard: string): Promise<void> {
  await onShard(local, shard, (client) => client.query('DROP SCHEMA IF EXISTS big CASCADE'));
}
