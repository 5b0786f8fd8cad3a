import * as z from 'zod';
import type { Client } from '../../failover/probing/ask.ts';
import { findStatements, foreignStatements } from './find-view.ts';

/** How many statements are followed: those that took most time, of the ones that were ever slow. */
const mostStatements = 200;

/** The counters of one statement. */
export const counterSchema = z.object({
  id: z.string(),
  calls: z.coerce.number().min(0),
  totalMs: z.coerce.number().min(0),
  maxMs: z.coerce.number().min(0),
});
export type Counter = z.output<typeof counterSchema>;

/** The counters of a server at one time. They begin anew when it starts anew, or another takes its place. */
export const countersSchema = z.object({
  started: z.string(),
  counters: z.array(counterSchema).max(mostStatements),
});
export type Counters = z.output<typeof countersSchema>;

/** Reads the counters of the statements that were ever slow; undefined where nobody counts them. */
export async function readCounters(client: Client, slowMs: number): Promise<Counters | undefined> {
  const view = await findStatements(client);
  if (view === undefined) return undefined;
  const { rows } = await client.query(
    `SELECT s.queryid::text AS id, sum(s.calls) AS calls, sum(s.total_exec_time) AS "totalMs", max(s.max_exec_time) AS "maxMs"
       FROM ${view} AS s WHERE ${foreignStatements} AND s.max_exec_time >= $1
      GROUP BY s.queryid ORDER BY 3 DESC LIMIT ${mostStatements}`,
    [slowMs],
  );
  const { rows: starts } = await client.query('SELECT pg_postmaster_start_time()::text AS started');
  const [start] = z.array(z.object({ started: z.string() })).parse(starts);
  return { started: start?.started ?? '', counters: z.array(counterSchema).parse(rows) };
}

/**
 * How many slow statements ran between two readings, at least: all runs of a statement whose average was slow in that time, and
 * one of a statement whose longest run has become longer, or that was not slow before. PostgreSQL counts no more exactly than that.
 *
 * @param before the earlier reading of the same server; undefined: there is none, and nothing is known.
 */
export function countSlow(before: Counters | undefined, now: Counters, slowMs: number): number | undefined {
  if (before === undefined || before.started !== now.started) return undefined;
  const known = new Map(before.counters.map((counter) => [counter.id, counter]));
  return now.counters.reduce((sum, counter) => sum + slowRuns(known.get(counter.id), counter, slowMs), 0);
}

function slowRuns(before: Counter | undefined, now: Counter, slowMs: number): number {
  // Fewer runs than before: the statement was forgotten in between, or all were.
  const earlier = before === undefined || now.calls < before.calls ? undefined : before;
  const calls = now.calls - (earlier?.calls ?? 0);
  if (calls === 0) return 0;
  if ((now.totalMs - (earlier?.totalMs ?? 0)) / calls >= slowMs) return calls;
  return now.maxMs > (earlier?.maxMs ?? 0) ? 1 : 0;
}
