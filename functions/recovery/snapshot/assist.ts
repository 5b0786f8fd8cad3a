import type { Logger } from '@aws-lambda-powertools/logger';
import type { Client } from 'pg';
import type { Assistance, AssistanceRequests } from '../catalog/assistance.ts';
import type { ChunkCatalog } from '../catalog/chunk-catalog.ts';
import type { SnapshotOrigin } from '../catalog/snapshot-store.ts';
import { type CopyDependencies, copyChunk } from '../chunks/copy-chunk.ts';
import type { BackupId, ShardName } from '../ids.ts';
import { dumpSql } from '../schema/dump-sql.ts';
import { storeSchema } from '../schema/store-schema.ts';
import type { ShardTenant } from '../tenants/model.ts';

export interface AssistDependencies extends CopyDependencies {
  readonly requests: AssistanceRequests;
  readonly chunks: ChunkCatalog;
  readonly backupId: BackupId;
  readonly shard: ShardName;
  readonly log: Logger;
  /** The one tenant that the backup is of; absent: all. */
  readonly tenant?: ShardTenant | undefined;
}

const dumpMs = 300_000;

/**
 * Does, on the connection that holds the snapshot, what others cannot because a session waits for an exclusive lock
 * on a table: their own lock would queue behind it, the holder's is there already. What fails is rolled back to where
 * it began, so that the snapshot survives it; whoever asked asks again.
 */
export async function assistOthers(
  deps: AssistDependencies,
  client: Client,
  origin: SnapshotOrigin,
): Promise<void> {
  const { requests, log } = deps;
  for await (const assistance of requests.waiting()) {
    log.info('Doing what a waiting lock keeps others from', { assistance });
    await client.query('SAVEPOINT assist');
    try {
      await assist(deps, client, origin, assistance);
    } catch (error) {
      log.warn('It failed', { error });
    }
    await client.query('ROLLBACK TO SAVEPOINT assist');
    await client.query('RELEASE SAVEPOINT assist');
    // pg_dump's settings are rolled back; its prepared statements are not.
    await client.query('DEALLOCATE ALL');
    await requests.done(assistance);
  }
}

async function assist(
  deps: AssistDependencies,
  client: Client,
  origin: SnapshotOrigin,
  assistance: Assistance,
): Promise<void> {
  const { chunks, backupId, shard, tenant } = deps;
  if (assistance.kind === 'chunk') {
    await chunks.putChunk(
      await copyChunk(deps, client, { backupId, shard, origin, work: assistance.work, tenant }),
    );
  } else {
    const options = { args: [], timeoutMs: dumpMs, inTransaction: true };
    const sql = await dumpSql(client, assistance.section, tenant, options);
    await storeSchema(deps, assistance.section, sql);
  }
}
