import * as z from 'zod';
import type { Client } from '../../failover/probing/ask.ts';
import { mostTold, type ShardInsights } from './model.ts';

type Pool = ShardInsights['pools'][number];

const number = z.coerce.number().min(0);
const rowSchema = z.object({
  ...{ user: z.string(), application: z.string(), connections: number },
  ...{ active: number, idle: number, transaction: number, longest: number },
});

/** Who holds the connections of an instance. */
export async function readPools(client: Client, instance: string | null): Promise<Pool[]> {
  const { rows } = await client.query(
    `SELECT coalesce(usename, '') AS user, coalesce(application_name, '') AS application, count(*) AS connections,
            count(*) FILTER (WHERE state = 'active') AS active, count(*) FILTER (WHERE state = 'idle') AS idle,
            count(*) FILTER (WHERE state LIKE 'idle in transaction%') AS transaction,
            greatest(0, max(extract(epoch FROM clock_timestamp() - state_change)) FILTER (WHERE state LIKE 'idle%')) AS longest
       FROM pg_catalog.pg_stat_activity WHERE backend_type = 'client backend'
      GROUP BY 1, 2 ORDER BY 3 DESC LIMIT ${mostTold}`,
  );
  return z
    .array(rowSchema)
    .parse(rows)
    .map(({ transaction, longest, ...pool }) => ({
      instance,
      ...pool,
      idleInTransaction: transaction,
      longestIdleSeconds: Math.round(longest),
    }));
}
