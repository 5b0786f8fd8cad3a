import type { Logger } from '@aws-lambda-powertools/logger';
import type { Client } from 'pg';
import type { ChunkCatalog } from '../catalog/chunk-catalog.ts';
import type { SnapshotOrigin } from '../catalog/snapshot-store.ts';
import type { BackupId, ShardName } from '../ids.ts';
import { type CopyDependencies, copyChunk } from './copy-chunk.ts';

export interface AssistDependencies extends CopyDependencies {
  readonly chunks: ChunkCatalog;
  readonly backupId: BackupId;
  readonly shard: ShardName;
  readonly log: Logger;
}

/**
 * Copies, on the connection that holds the snapshot, the items whose tables the workers cannot lock. What fails is
 * rolled back to where it began, so that the snapshot survives it; whoever asked asks again.
 */
export async function assistWorkers(
  deps: AssistDependencies,
  client: Client,
  origin: SnapshotOrigin,
): Promise<void> {
  const { chunks, backupId, shard, log } = deps;
  for await (const work of chunks.askedOfHolder(shard)) {
    log.info('Copying for a worker that is kept out by a waiting lock', { item: work.item });
    await client.query('SAVEPOINT assist');
    try {
      await chunks.putChunk(await copyChunk(deps, client, { backupId, shard, origin, work }));
    } catch (error) {
      await client.query('ROLLBACK TO SAVEPOINT assist');
      log.warn('The copy failed', { item: work.item, error });
    }
    await client.query('RELEASE SAVEPOINT assist');
    await chunks.answered(shard, work.item);
  }
}
