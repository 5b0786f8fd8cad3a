import * as z from 'zod';
import type { Client } from '../../failover/probing/ask.ts';
import { findStatements, foreignStatements } from '../statements/find-view.ts';
import { mostTold, type ShardInsights } from './model.ts';
import { normaliseStatement } from './normalise.ts';

const number = z.coerce.number().min(0);
const rowSchema = z.object({
  ...{ id: z.string(), text: z.string(), calls: number, total: number, longest: number, rows: number },
  ...{ hits: number, reads: number },
});
/** How much of a text is read, in characters: the rest is not shown either. */
const mostRead = 8_000;

/** The statements of a database that were ever slow, those that took most time in all first. */
export async function readSlowStatements(
  client: Client,
  slowMs: number,
): Promise<ShardInsights['slowStatements']> {
  const view = await findStatements(client);
  if (view === undefined) return null;
  const { rows } = await client.query(
    `SELECT s.queryid::text AS id, min(left(s.query, ${mostRead})) AS text, sum(s.calls) AS calls, sum(s.total_exec_time) AS total,
            max(s.max_exec_time) AS longest, sum(s.rows) AS rows, sum(s.shared_blks_hit) AS hits, sum(s.shared_blks_read) AS reads
       FROM ${view} AS s WHERE ${foreignStatements} AND s.max_exec_time >= $1
      GROUP BY s.queryid ORDER BY total DESC LIMIT ${mostTold}`,
    [slowMs],
  );
  return z
    .array(rowSchema)
    .parse(rows)
    .map(({ text, total, longest, hits, reads, ...row }) => ({
      id: row.id,
      text: normaliseStatement(text),
      calls: row.calls,
      totalMs: Math.round(total),
      meanMs: Math.round(total / Math.max(1, row.calls)),
      maxMs: Math.round(longest),
      rows: row.rows,
      cacheHitRatio: hits + reads === 0 ? null : Math.round((hits / (hits + reads)) * 10_000) / 10_000,
    }));
}
