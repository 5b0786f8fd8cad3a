import type { Client } from 'pg';
import * as z from 'zod';

const rowsSchema = z.tuple([z.object({ snapshot: z.string() })]);

/** Which transactions a connection sees now, as a backup notes it. */
export async function readSnapshot(client: Client): Promise<string> {
  const { rows } = await client.query('SELECT pg_current_snapshot()::text AS snapshot');
  return rowsSchema.parse(rows)[0].snapshot;
}
