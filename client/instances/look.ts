import type pg from 'pg';
import * as z from 'zod';
import { logPosition } from '../sessions/position.ts';

/** What an instance says of itself. */
export interface Look {
  readonly replica: boolean;
  /** Whether its sessions begin read-only, as those of a fenced writer do. */
  readonly readOnly: boolean;
  readonly aurora: boolean;
  /** The shard's epoch as it is written there; undefined where it is not, or may not be read. */
  readonly epoch?: number;
}

const identitySchema = z.object({
  replica: z.boolean(),
  readOnly: z.boolean(),
  aurora: z.boolean(),
  told: z.boolean(),
});
// A schema that is not there has no rights either.
const identitySql = `SELECT pg_is_in_recovery() AS replica,
  reset_val::boolean AS "readOnly",
  to_regproc('pg_catalog.aurora_replica_status') IS NOT NULL AS aurora,
  coalesce(has_schema_privilege(to_regnamespace('mainstay'), 'USAGE'), false) AS told
 FROM pg_settings WHERE name = 'default_transaction_read_only'`;
const epochSql = 'SELECT epoch::float8 AS epoch FROM mainstay.heartbeat WHERE shard = $1';
const epochSchema = z.array(z.object({ epoch: z.int() })).max(1);

/** Asks an instance what it is. */
export async function look(client: pg.ClientBase, shard: string): Promise<Look> {
  const { told, ...identity } = identitySchema.parse((await client.query(identitySql)).rows[0]);
  if (!told) return identity;
  const [row] = epochSchema.parse(
    await client.query(epochSql, [shard]).then(
      ({ rows }) => rows,
      (error) => (unprepared.has(String(error?.code)) ? [] : Promise.reject(error)),
    ),
  );
  return row === undefined ? identity : { ...identity, epoch: row.epoch };
}

/** No right to it, or no such table. */
const unprepared = new Set(['42501', '42P01', '42703']);

const progressSchema = z.object({ position: z.string().nullable(), lag: z.coerce.number().nullable() });
/** Of a writer everything that has been written counts; of a reader what can be read there. */
const progressSql = {
  writer: 'SELECT pg_current_wal_insert_lsn()::text AS position, NULL::float8 AS lag',
  reader: 'SELECT pg_last_wal_replay_lsn()::text AS position, NULL::float8 AS lag',
  // Aurora has no replay: its readers see the writer's storage as of a position that they tell.
  auroraWriter: `SELECT durable_lsn::text AS position, NULL::float8 AS lag FROM aurora_replica_status()
                  WHERE session_id = 'MASTER_SESSION_ID'`,
  auroraReader: `SELECT current_read_lsn::text AS position, replica_lag_in_msec::float8 AS lag
                   FROM aurora_replica_status() WHERE server_id = aurora_db_instance_identifier()`,
};

export interface Progress {
  readonly position?: bigint;
  /** How far it is behind by the engine's own measure, in seconds. */
  readonly engineLagSeconds?: number;
}

/** How far an instance is: what it has written or, of a reader, what can be read there. */
export async function progressOf(
  client: pg.ClientBase,
  { aurora, replica }: Pick<Look, 'aurora' | 'replica'>,
): Promise<Progress> {
  const [managed, own] = replica
    ? [progressSql.auroraReader, progressSql.reader]
    : [progressSql.auroraWriter, progressSql.writer];
  const { rows } = await client.query(aurora ? managed : own);
  const { position, lag } = progressSchema.parse(rows[0] ?? { position: null, lag: null });
  return {
    ...(position !== null && { position: logPosition(position) }),
    ...(lag !== null && { engineLagSeconds: Math.max(0, lag) / 1000 }),
  };
}
