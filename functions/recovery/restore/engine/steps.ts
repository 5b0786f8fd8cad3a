import type { Client } from 'pg';
import * as z from 'zod';
import type { Clock } from '../../clock.ts';
import { quoteLiteral } from '../../snapshot/sql.ts';
import { type LeftOut, leftOutSchema } from '../model.ts';

/** The schema in the restored database that holds what is done; it is dropped when all is. */
export const workSchema = 'mainstay_restore';

/** Makes the place for finished steps, where there is none. */
export async function createSteps(client: Client): Promise<void> {
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${workSchema};
    CREATE TABLE IF NOT EXISTS ${workSchema}.steps (
      step text PRIMARY KEY,
      number bigint GENERATED ALWAYS AS IDENTITY,
      finished_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
      left_out jsonb
    )`);
}

/** Whether the database has the place for steps: not before it was prepared, and not after it was completed. */
export async function hasSteps(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(
    `SELECT pg_catalog.to_regclass('${workSchema}.steps') IS NOT NULL AS found`,
  );
  return rows[0]?.found === true;
}

/** The steps that are done. */
export async function finishedSteps(client: Client): Promise<Set<string>> {
  const { rows } = await client.query<{ step: string }>(`SELECT step FROM ${workSchema}.steps`);
  return new Set(rows.map(({ step }) => step));
}

/** Everything that was left out so far, in the order it was met. */
export async function readLeftOut(client: Client): Promise<LeftOut[]> {
  const { rows } = await client.query<{ left_out: unknown }>(
    `SELECT left_out FROM ${workSchema}.steps WHERE left_out IS NOT NULL ORDER BY number`,
  );
  return z.array(leftOutSchema).parse(rows.map(({ left_out }) => left_out));
}

/**
 * Does a step and notes it, both or neither, by one message: PostgreSQL runs its statements as one transaction, to the
 * end and its commit even if whoever sent it has gone. A step is therefore never done twice and never skipped.
 *
 * @param deadline milliseconds since the epoch. A statement that still runs then is left to the server.
 * @returns `again` when that happened: the connection is not usable any more.
 * @throws what PostgreSQL says; the step is not done then.
 */
export async function runStep(
  client: Client,
  { step, sql, leftOut }: { step: string; sql: string; leftOut?: LeftOut },
  { clock, deadline }: { clock: Clock; deadline: number },
): Promise<'done' | 'again'> {
  const note = leftOut === undefined ? 'NULL' : quoteLiteral(JSON.stringify(leftOut));
  const text = `INSERT INTO ${workSchema}.steps (step, left_out) VALUES (${quoteLiteral(step)}, ${note});\n${sql}`;
  const ended = new AbortController();
  const running = client.query(text).then(
    () => 'done' as const,
    (error: unknown) => ({ error }),
  );
  const late = clock.sleep(Math.max(0, deadline - clock.now()), ended.signal).then(() => 'again' as const);
  const outcome = await Promise.race([running, late]);
  ended.abort();
  if (outcome === 'again') client.connection.stream.destroy();
  else if (outcome !== 'done') throw outcome.error;
  return outcome;
}
