import * as z from 'zod';
import type { Client } from './ask.ts';

const rowSchema = z.object({
  /** When its server started: two instances do not have that in common, to the microsecond. */
  started: z.string(),
  replica: z.boolean(),
  readOnly: z.boolean(),
  aurora: z.boolean(),
});

/** Which instance a connection has led to, and what it is. */
export type Identity = z.output<typeof rowSchema>;

const sql = `SELECT pg_postmaster_start_time()::text AS started, pg_is_in_recovery() AS replica,
       current_setting('default_transaction_read_only')::boolean AS "readOnly",
       to_regproc('pg_catalog.aurora_replica_status') IS NOT NULL AS aurora`;

export async function identify(client: Client): Promise<Identity> {
  return rowSchema.parse((await client.query(sql)).rows[0]);
}
