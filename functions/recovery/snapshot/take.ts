import type { Client } from 'pg';
import * as z from 'zod';
import { type SnapshotOrigin, snapshotOriginSchema } from '../catalog/snapshot-store.ts';
import { NotReadyError } from '../errors.ts';
import { type SnapshotId, snapshotIdSchema } from '../ids.ts';
import { defaultDurableWaitMs, isDurable, readInsertLsn } from './durable.ts';
import { isLockUnavailable, lockError, lockTables } from './locks.ts';
import { optional } from './optional.ts';
import { checkObstacles } from './preflight.ts';
import { listTablesToLock, type TableName } from './relations.ts';
import { beginImporting, beginReading, rollback } from './session.ts';
import { sqlState } from './sql.ts';

/** An exported snapshot: it lives as long as the transaction of the client that exported it. */
export interface TakenSnapshot {
  readonly snapshotId: SnapshotId;
  readonly origin: SnapshotOrigin;
  readonly tables: readonly TableName[];
}

/** How often tables may come and go while they are being locked, before that is given up. */
const maxRounds = 10;
const undefinedTable = '42P01';

/**
 * Takes and exports the snapshot of a shard. All tables are locked before the first read fixes the snapshot, then
 * listed again under it: a table that came in between starts another round. Checks before and under the
 * locks that nothing keeps the backup from being complete.
 *
 * @param client prepared by `prepareSession`.
 * @param lockWaitMs how long to wait for a session that has a table locked exclusively.
 * @param durableWaitMs how long to wait until all that the snapshot sees is on disk.
 * @param schema the one that the backup is of; default: all.
 * @throws PreflightError, NotReadyError naming the sessions that are in the way.
 */
export async function takeSnapshot(
  client: Client,
  lockWaitMs: number,
  durableWaitMs = defaultDurableWaitMs,
  schema?: string,
): Promise<TakenSnapshot> {
  for (let round = 1; round <= maxRounds; round++) {
    const tables = await listTablesToLock(client, schema);
    await checkObstacles(client, schema);
    await beginReading(client);
    try {
      await lockTables(client, tables, lockWaitMs);
      const origin = await readOrigin(client);
      const seen = await listTablesToLock(client, schema);
      if (isCovered(seen, tables)) {
        await checkObstacles(client, schema);
        const durable = await isDurable(client, origin.insertLsn, durableWaitMs);
        return {
          snapshotId: await exportSnapshot(client),
          origin: { ...origin.known, durable },
          tables: seen,
        };
      }
    } catch (error) {
      await rollback(client);
      if (isLockUnavailable(error)) throw await lockError(client, tables);
      if (sqlState(error) !== undefinedTable) throw error;
      continue;
    }
    await rollback(client);
  }
  throw new NotReadyError(
    `Tables were created or dropped in each of ${maxRounds} attempts to lock them all.`,
  );
}

/**
 * Takes over a snapshot that is still held: sees the same instant, holds the same locks, exports it anew.
 * @throws NotReadyError when a session waits for an exclusive lock in between.
 */
export async function takeOverSnapshot(
  client: Client,
  snapshotId: SnapshotId,
  origin: SnapshotOrigin,
  lockWaitMs: number,
  schema?: string,
): Promise<TakenSnapshot> {
  let tables: TableName[] = [];
  try {
    await beginImporting(client, snapshotId);
    tables = await listTablesToLock(client, schema);
    await lockTables(client, tables, lockWaitMs);
    return { snapshotId: await exportSnapshot(client), origin, tables };
  } catch (error) {
    await rollback(client);
    throw isLockUnavailable(error) ? await lockError(client, tables) : error;
  }
}

function isCovered(seen: readonly TableName[], locked: readonly TableName[]): boolean {
  const names = new Map(locked.map((table) => [table.oid, table]));
  return seen.every(({ oid, schema, name }) => {
    const table = names.get(oid);
    return table?.schema === schema && table.name === name;
  });
}

async function exportSnapshot(client: Client): Promise<SnapshotId> {
  const { rows } = await client.query<{ id: string }>('SELECT pg_catalog.pg_export_snapshot() AS id');
  return snapshotIdSchema.parse(rows[0]?.id);
}

const instantRow = z.object({ instant: z.date(), snapshot: z.string() });

interface ReadOrigin {
  readonly known: SnapshotOrigin;
  /** The log up to here holds the end of every transaction that the snapshot sees as ended. */
  readonly insertLsn: string | undefined;
}

/** Its first statement fixes the snapshot: locking reads nothing. */
async function readOrigin(client: Client): Promise<ReadOrigin> {
  const { rows } = await client.query(
    'SELECT pg_catalog.clock_timestamp() AS instant, pg_catalog.pg_current_snapshot()::text AS snapshot',
  );
  const { instant, snapshot } = instantRow.parse(rows[0]);
  const insertLsn = await readInsertLsn(client);
  const control = await optional(
    client,
    `SELECT s.system_identifier::text AS "systemIdentifier", c.timeline_id AS timeline
     FROM pg_catalog.pg_control_system() s, pg_catalog.pg_control_checkpoint() c`,
  );
  const log = await optional(
    client,
    `SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
                 ELSE pg_catalog.pg_current_wal_lsn() END::text AS lsn`,
  );
  const writing = await optional(
    client,
    `SELECT ('x' || left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8))::bit(32)::int AS timeline`,
  );
  const timelines = [control?.timeline, writing?.timeline].filter((timeline) => typeof timeline === 'number');
  const known = snapshotOriginSchema.parse({
    instant: instant.toISOString(),
    snapshot,
    lsn: log?.lsn ?? null,
    systemIdentifier: control?.systemIdentifier ?? null,
    // Right after a promotion the last checkpoint is still of the timeline before.
    timeline: timelines.length === 0 ? null : Math.max(...timelines),
  });
  return { known, insertLsn };
}
