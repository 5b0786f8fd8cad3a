import type { Client } from 'pg';
import { databaseUsers } from '../../../lib/constants.ts';
import { dynamo, s3 } from '../../shared/clients.ts';
import { connect, wakeUpMs } from '../../shared/database.ts';
import { RecoveryTable } from '../catalog/recovery-table.ts';
import { RestoreCatalog } from '../catalog/restore-catalog.ts';
import { RestoreNotes } from '../catalog/restore-notes.ts';
import type { RestoreRecord } from '../catalog/restore-record.ts';
import { systemClock } from '../clock.ts';
import { RestoreNotRunningError } from '../errors.ts';
import type { RestoreId } from '../ids.ts';
import { readingPlaces } from '../keys/reading.ts';
import { Bucket } from '../objects/bucket.ts';
import { pickUp } from '../objects/work-objects.ts';
import { connectError } from '../snapshot/connect-error.ts';
import { type RestoreTarget, type ShardPlan, shardPlanSchema } from './events.ts';

/** What the functions of a restore inside the VPC are made of, from their environment and event. */

export interface RestoreEnvironment {
  readonly RECOVERY_TABLE: string;
  readonly BACKUPS_BUCKET: string;
  readonly ENCRYPTION_KEY_ARN: string;
  readonly ESCROW_KEY_ARN?: string | undefined;
}

/** Kept back to end in order when an invocation's time is up, in milliseconds. */
const endMs = 30_000;

/** The stores that all of them work with. */
export function restoreStores(environment: RestoreEnvironment) {
  const { RECOVERY_TABLE, BACKUPS_BUCKET } = environment;
  const placeOf = readingPlaces(environment);
  const table = new RecoveryTable(dynamo(), RECOVERY_TABLE);
  const bucket = new Bucket(s3(), BACKUPS_BUCKET);
  return {
    restores: new RestoreCatalog(table),
    notes: (id: RestoreId) => new RestoreNotes(table, id),
    table,
    bucket,
    place: placeOf('kms'),
    /** Where objects are read, by the keys that the restore was asked to use. */
    placeOf,
    clock: systemClock,
  };
}
export type RestoreStores = ReturnType<typeof restoreStores>;

/**
 * Connects to a database of a server as the role of restores; statements may take any time.
 * @throws NotReadyError
 */
export const restoreConnection =
  ({ host, port }: Pick<RestoreTarget, 'host' | 'port'>) =>
  async (database: string): Promise<Client> => {
    const login = { host, port, database, user: databaseUsers.restore };
    try {
      return await connect({ ...login, connectTimeoutMs: wakeUpMs, statementTimeoutMs: 0 });
    } catch (error) {
      throw connectError(error, login);
    }
  };

/** When an invocation that has so many milliseconds left begins nothing more; milliseconds since the epoch. */
export const deadlineOf = (remainingMs: () => number): number => systemClock.now() + remainingMs() - endMs;

/**
 * @returns the restore.
 * @throws RestoreNotRunningError when nothing is to be done for the restore any more.
 */
export async function requireRestoring(restores: RestoreCatalog, id: RestoreId): Promise<RestoreRecord> {
  const record = await restores.get(id);
  if (record?.state === 'running' && !record.cancelRequested) return record;
  throw new RestoreNotRunningError(`Restore ${id} is not running any more.`);
}

/** What is restored of a shard, as it was planned. */
export const readPlan = async (bucket: Bucket, { plan }: RestoreTarget): Promise<ShardPlan> =>
  shardPlanSchema.parse(await pickUp(bucket, plan));
