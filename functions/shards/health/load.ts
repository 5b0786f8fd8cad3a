import * as z from 'zod';
import type { Client } from '../../failover/probing/ask.ts';
import type { Load } from './model.ts';
import type { HealthSettings } from './settings.ts';

/** Transaction ids that there are before the oldest has to be frozen. */
const transactionIds = 2 ** 31;

const number = z.coerce.number().min(0);
const rowSchema = z.object({
  used: number,
  usable: number,
  active: number,
  idle: number,
  long: number,
  oldest: number,
  blocked: number,
  waiting: number,
  hits: number,
  reads: number,
  size: number,
  age: number,
});

/*
 * A backup keeps one transaction open for as long as it runs: it is expected, and has alarms of its own. Sessions that replicate
 * have slots beside those of clients.
 */
const sql = `WITH clients AS MATERIALIZED (
  SELECT state, usename, extract(epoch FROM clock_timestamp() - xact_start)::float8 AS age
    FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'
), transactions AS (
  SELECT age FROM clients WHERE age IS NOT NULL AND usename IS DISTINCT FROM 'mainstay_backup'
  UNION ALL
  SELECT extract(epoch FROM clock_timestamp() - prepared)::float8 FROM pg_catalog.pg_prepared_xacts
), waits AS (
  SELECT pid, max(extract(epoch FROM clock_timestamp() - waitstart)::float8) AS age
    FROM pg_catalog.pg_locks WHERE NOT granted GROUP BY pid
)
SELECT (SELECT count(*) FROM clients) AS used,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
         - current_setting('reserved_connections')::int AS usable,
       (SELECT count(*) FROM clients WHERE state = 'active') AS active,
       (SELECT count(*) FROM clients WHERE state LIKE 'idle in transaction%') AS idle,
       (SELECT count(*) FROM transactions WHERE age > $1) AS long,
       greatest(0, (SELECT max(age) FROM transactions)) AS oldest,
       (SELECT count(*) FROM waits WHERE age > $2) AS blocked,
       greatest(0, (SELECT max(age) FROM waits)) AS waiting,
       d.blks_hit AS hits, d.blks_read AS reads,
       pg_catalog.pg_database_size(d.datid) AS size,
       (SELECT max(greatest(age(datfrozenxid), mxid_age(datminmxid))) FROM pg_catalog.pg_database) AS age
  FROM pg_catalog.pg_stat_database AS d
 WHERE d.datname = current_database()`;

/** Has an instance say how it is loaded. `mainstay_stats` may see all of it, and no rows. */
export async function readLoad(
  client: Client,
  {
    longTransactionSeconds,
    blockedSeconds,
  }: Pick<HealthSettings, 'longTransactionSeconds' | 'blockedSeconds'>,
): Promise<Load> {
  const { rows } = await client.query(sql, [longTransactionSeconds, blockedSeconds]);
  const row = rowSchema.parse(rows[0]);
  const blocks = row.hits + row.reads;
  return {
    connections: {
      used: row.used,
      usable: row.usable,
      active: row.active,
      idleInTransaction: row.idle,
    },
    longTransactions: { count: row.long, oldestSeconds: rounded(row.oldest) },
    blockedQueries: { count: row.blocked, longestSeconds: rounded(row.waiting) },
    cacheHitRatio: blocks === 0 ? null : Math.round((row.hits / blocks) * 10_000) / 10_000,
    databaseSizeBytes: row.size,
    wraparound: {
      ageTransactions: row.age,
      usedShare: Math.min(1, Math.round((row.age / transactionIds) * 10_000) / 10_000),
    },
  };
}

const rounded = (seconds: number): number => Math.round(seconds * 10) / 10;
