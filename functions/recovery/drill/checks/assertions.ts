import type { Client } from 'pg';
import { rollback } from '../../snapshot/session.ts';
import { type Assertion, unmet } from '../assertion.ts';
import type { Check, Subject, Wrong } from './check.ts';

/**
 * The operator's own assertions. Each is a query behind a cursor in a transaction that only reads, sent as a single
 * statement: PostgreSQL takes nothing but a SELECT there, and none that changes anything. The session's role may read
 * everything in the database and owns nothing of it.
 *
 * @param connect as that role, to the database.
 */
export const assertionsCheck = (
  assertions: readonly Assertion[],
  connect: () => Promise<Client>,
  timeoutSeconds: number,
): Check => ({
  kind: 'assertions',
  list: async () =>
    assertions.map(
      (assertion): Subject => ({
        name: assertion.name,
        look: () => look(assertion, connect, timeoutSeconds),
      }),
    ),
});

async function look(
  { name, sql, expect }: Assertion,
  connect: () => Promise<Client>,
  timeoutSeconds: number,
): Promise<Wrong | undefined> {
  const client = await connect();
  try {
    const problem = unmet(expect, await firstRows(client, sql, timeoutSeconds));
    return problem === undefined ? undefined : { object: name, problem };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The first two rows of a query, as PostgreSQL writes their values. */
async function firstRows(client: Client, sql: string, timeoutSeconds: number): Promise<(string | null)[][]> {
  await client.query('BEGIN READ ONLY');
  try {
    await client.query(`SET LOCAL statement_timeout = ${timeoutSeconds * 1000}`);
    await client.query("SET LOCAL lock_timeout = '10s'");
    // A named statement is a single one, whatever its text holds.
    await client.query({ name: 'assertion', text: `DECLARE assertion NO SCROLL CURSOR FOR ${sql}` });
    const { rows } = await client.query<(string | null)[]>({
      text: 'FETCH 2 FROM assertion',
      rowMode: 'array',
      types: { getTypeParser: () => (value: string) => value },
    });
    return rows;
  } finally {
    await rollback(client);
  }
}
