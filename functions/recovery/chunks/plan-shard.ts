import type { ChunkCatalog } from '../catalog/chunk-catalog.ts';
import type { BackupId, ShardName } from '../ids.ts';
import { sha256Of } from '../manifest/manifest.ts';
import type { Bucket } from '../objects/bucket.ts';
import { planKey, shardDescriptionKey } from '../objects/object-keys.ts';
import { type OpenDependencies, openSnapshot } from '../snapshot/open.ts';
import { describeShard } from './describe-shard.ts';
import { planChunks } from './plan.ts';

export interface PlanShardDependencies extends OpenDependencies {
  readonly chunks: ChunkCatalog;
  readonly bucket: Bucket;
  readonly backupId: BackupId;
  readonly shard: ShardName;
  /** Heap and TOAST of a table in one chunk, in bytes. */
  readonly targetBytes: number;
}

export interface PlannedShard {
  readonly key: string;
  readonly items: number;
  readonly relations: number;
  readonly bytesEstimated: number;
}

const snapshotWaitMs = 60_000;

/** Describes the shard as of its snapshot and divides its tables into work items, both left in the store. */
export async function planShard(deps: PlanShardDependencies): Promise<PlannedShard> {
  const { backupId, shard, bucket, chunks } = deps;
  const { client, held } = await openSnapshot(deps, snapshotWaitMs);
  try {
    const description = await describeShard(client);
    const planned = planChunks(description.tables, deps.targetBytes);
    // A Map over nothing is best avoided: an item without ranges does no harm.
    const plan = planned.length === 0 ? [{ item: 0, ranges: [] }] : planned;
    const bytesEstimated = description.tables.reduce((sum, table) => sum + table.bytes, 0);
    const relations = description.tables.length;
    await chunks.setShard(shard, {
      stage: 'chunks',
      origin: held.origin,
      relations,
      chunksTotal: plan.length,
      bytesEstimated,
      plan: await leave(bucket, planKey(backupId, shard), plan),
      description: await leave(bucket, shardDescriptionKey(backupId, shard), description),
    });
    return { key: planKey(backupId, shard), items: plan.length, relations, bytesEstimated };
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function leave(bucket: Bucket, key: string, value: unknown) {
  return {
    key,
    versionId: await bucket.writeJson(key, value),
    sha256: sha256Of(JSON.stringify(value)),
  };
}
