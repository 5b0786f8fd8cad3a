import type { ChunkCatalog } from '../catalog/chunk-catalog.ts';
import type { SnapshotStore } from '../catalog/snapshot-store.ts';
import type { Clock } from '../clock.ts';
import type { BackupId, ShardName } from '../ids.ts';
import type { Bucket } from '../objects/bucket.ts';
import { planKey } from '../objects/object-keys.ts';
import { leave, pickUp } from '../objects/work-objects.ts';
import { awaitSnapshot } from '../snapshot/open.ts';
import { shardDescriptionSchema } from './describe-shard.ts';
import { planChunks } from './plan.ts';

export interface PlanShardDependencies {
  readonly store: SnapshotStore;
  readonly clock: Clock;
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

/** Divides the tables that the snapshot's holder described into work items, and leaves them in the store. */
export async function planShard(deps: PlanShardDependencies): Promise<PlannedShard> {
  const { backupId, shard, bucket, chunks } = deps;
  const { origin, description } = await awaitSnapshot(deps, snapshotWaitMs);
  const { tables } = shardDescriptionSchema.parse(await pickUp(bucket, description));
  const planned = planChunks(tables, deps.targetBytes);
  // A Map over nothing is best avoided: an item without ranges does no harm.
  const items = planned.length === 0 ? [{ item: 0, ranges: [] }] : planned;
  const bytesEstimated = tables.reduce((sum, table) => sum + table.bytes, 0);
  const plan = await leave(bucket, planKey(backupId, shard), items);
  await chunks.setShard(shard, {
    stage: 'chunks',
    origin,
    relations: tables.length,
    chunksTotal: items.length,
    bytesEstimated,
    plan,
    description,
  });
  return { key: plan.key, items: items.length, relations: tables.length, bytesEstimated };
}
