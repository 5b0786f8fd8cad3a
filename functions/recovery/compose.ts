import { randomUUID } from 'node:crypto';
import type { Client } from 'pg';
import { databaseUsers } from '../../lib/constants.ts';
import { dynamo, kms, s3 } from '../shared/clients.ts';
import { connect, wakeUpMs } from '../shared/database.ts';
import { AssistanceRequests } from './catalog/assistance.ts';
import { BackupCatalog } from './catalog/backup-catalog.ts';
import { ChunkCatalog } from './catalog/chunk-catalog.ts';
import { RecoveryTable } from './catalog/recovery-table.ts';
import { SnapshotStore } from './catalog/snapshot-store.ts';
import { systemClock } from './clock.ts';
import { BackupNotRunningError } from './errors.ts';
import type { BackupId, ShardName } from './ids.ts';
import { sealedKeysOf, withEscrow } from './keys/escrow-of.ts';
import { Bucket } from './objects/bucket.ts';
import type { StorePlace } from './objects/store-object.ts';
import { connectError } from './snapshot/connect-error.ts';
import { kmsKeyring } from './stages/encrypt.ts';
import type { ShardTarget } from './workflow.ts';

/** What a function of a shard's branch is made of, from its environment and its event. */

export interface PipelineEnvironment {
  readonly BACKUPS_BUCKET: string;
  readonly ENCRYPTION_KEY_ARN: string;
  readonly ESCROW_KEY_ARN?: string | undefined;
  readonly COMPRESSION: 'zstd' | 'gzip';
  readonly COMPRESSION_LEVEL: number;
}

export function storePlace(environment: PipelineEnvironment): StorePlace {
  const { BACKUPS_BUCKET, ENCRYPTION_KEY_ARN, ESCROW_KEY_ARN } = environment;
  const escrow = sealedKeysOf(new Bucket(s3(), BACKUPS_BUCKET), kms(), ESCROW_KEY_ARN);
  return {
    s3: s3(),
    bucket: BACKUPS_BUCKET,
    keyring: withEscrow(kmsKeyring(kms(), ENCRYPTION_KEY_ARN), escrow),
    escrow,
    compression: { format: environment.COMPRESSION, level: environment.COMPRESSION_LEVEL },
  };
}

/**
 * Connects to an instance of the shard as the role that reads backups; statements may take any time.
 * @throws NotReadyError
 */
export const backupConnection =
  ({ database }: Pick<ShardTarget, 'database'>) =>
  async ({ host, port }: { host: string; port: number }): Promise<Client> => {
    const login = { host, port, database, user: databaseUsers.backup };
    try {
      return await connect({ ...login, connectTimeoutMs: wakeUpMs, statementTimeoutMs: 0 });
    } catch (error) {
      throw connectError(error, login);
    }
  };

export interface ShardEvent {
  readonly backupId: BackupId;
  readonly shard: ShardTarget;
}

/** The stores and the connection that all functions of a shard's branch work with. */
export function shardParts(recoveryTable: string, { backupId, shard }: ShardEvent) {
  const table = new RecoveryTable(dynamo(), recoveryTable);
  return {
    table,
    catalog: new BackupCatalog(table),
    chunks: new ChunkCatalog(table, backupId),
    store: new SnapshotStore(table, backupId, shard.name),
    requests: new AssistanceRequests(table, backupId, shard.name),
    connect: backupConnection(shard),
    clock: systemClock,
    backupId,
    shard: shard.name satisfies ShardName,
    attempt: randomUUID().slice(0, 8),
  };
}

/** Whether anything should still be done for the backup. */
export async function isAtWork(catalog: BackupCatalog, backupId: BackupId): Promise<boolean> {
  const record = await catalog.get(backupId);
  return record?.state === 'running' && !record.cancelRequested;
}

/** @throws BackupNotRunningError */
export async function requireAtWork(catalog: BackupCatalog, backupId: BackupId): Promise<void> {
  if (await isAtWork(catalog, backupId)) return;
  throw new BackupNotRunningError(`Backup ${backupId} is not running any more.`);
}
