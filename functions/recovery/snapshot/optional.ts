import type { Client } from 'pg';
import { sqlState } from './sql.ts';

/** What a managed server may refuse to tell, without ending the transaction. */
export async function optional(client: Client, sql: string): Promise<Record<string, unknown> | undefined> {
  await client.query('SAVEPOINT optional');
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows[0];
  } catch (error) {
    if (sqlState(error) === undefined) throw error;
    await client.query('ROLLBACK TO SAVEPOINT optional');
    return undefined;
  } finally {
    await client.query('RELEASE SAVEPOINT optional');
  }
}
