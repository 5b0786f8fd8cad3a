import type { Logger } from '@aws-lambda-powertools/logger';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { ChunkCatalog } from '../catalog/chunk-catalog.ts';
import type { SnapshotOrigin, SnapshotStore } from '../catalog/snapshot-store.ts';
import type { Clock } from '../clock.ts';
import { DamagedObjectError, ManifestError } from '../errors.ts';
import type { BackupId, ShardName } from '../ids.ts';
import { encodingOf } from '../manifest/encoding.ts';
import type { ManifestStore } from '../manifest/manifest-store.ts';
import { readParent } from '../manifest/parent.ts';
import { referableTables, whyNotReferable, xminOf } from '../manifest/referable.ts';
import type { Bucket } from '../objects/bucket.ts';
import { planKey } from '../objects/object-keys.ts';
import { leave, pickUp } from '../objects/work-objects.ts';
import { awaitSnapshot } from '../snapshot/open.ts';
import type { ChunkWork } from '../workflow.ts';
import { type ShardDescription, shardDescriptionSchema } from './describe-shard.ts';
import { planChunks } from './plan.ts';
import type { PreviousTable } from './previous-ranges.ts';

export interface PlanShardDependencies {
  readonly catalog: BackupCatalog;
  readonly manifests: ManifestStore;
  /** The KMS key that objects are encrypted under now. */
  readonly keyArn: string;
  readonly log: Pick<Logger, 'info' | 'warn'>;
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

/**
 * Divides the tables that the snapshot's holder described into work items, and leaves them in the store. Each range that may
 * be as it was in the shard's parent goes with the object that it was then.
 */
export async function planShard(deps: PlanShardDependencies): Promise<PlannedShard> {
  const { backupId, shard, bucket, chunks } = deps;
  const { origin, description } = await awaitSnapshot(deps, snapshotWaitMs);
  const described = shardDescriptionSchema.parse(await pickUp(bucket, description));
  const { tables } = described;
  const previous = await findPrevious(deps, origin, described);
  const copied = tables.filter(({ selection }) => selection !== 'none');
  const planned = withTenantKeys(planChunks(copied, deps.targetBytes, previous), copied);
  // A Map over nothing is best avoided: an item without ranges does no harm.
  const items = planned.length === 0 ? [{ item: 0, ranges: [] }] : planned;
  const bytesEstimated = copied.reduce((sum, table) => sum + table.bytes, 0);
  const plan = await leave(bucket, planKey(backupId, shard), items);
  await chunks.setShard(shard, {
    stage: 'chunks',
    origin,
    relations: copied.length,
    chunksTotal: items.length,
    bytesEstimated,
    plan,
    description,
  });
  return { key: plan.key, items: items.length, relations: copied.length, bytesEstimated };
}

/** Says of each range by which column the tenant's rows are known, where it is not copied whole. */
function withTenantKeys(items: readonly ChunkWork[], tables: ShardDescription['tables']): ChunkWork[] {
  const keys = new Map(tables.map(({ oid, tenantKey }) => [oid, tenantKey]));
  return items.map(({ item, ranges }) => ({
    item,
    ranges: ranges.map((range) => {
      const tenantKey = keys.get(range.oid);
      return tenantKey === undefined ? range : { ...range, tenantKey };
    }),
  }));
}

/** By oid, the tables whose objects in the shard's parent may stand for what they hold now. */
async function findPrevious(
  deps: PlanShardDependencies,
  origin: SnapshotOrigin,
  description: ShardDescription,
): Promise<Map<number, PreviousTable>> {
  const { catalog, chunks, backupId, shard, keyArn, log } = deps;
  const record = await catalog.get(backupId);
  const parentId = record?.parents?.[shard];
  const known = (await chunks.shards()).find((each) => each.shard === shard);
  if (parentId === undefined || known?.target === undefined) return new Map();
  const parent = await readParent(deps, parentId, backupId, shard).catch((error: unknown) => {
    // Nothing of a damaged parent is relied on: everything is stored.
    if (!(error instanceof ManifestError || error instanceof DamagedObjectError)) throw error;
    log.warn('The parent cannot be referred to', { shard, parentId, error });
  });
  if (parent === undefined) return new Map();
  const { target } = known;
  const now = { target, origin, description, preData: known['pre-data'], encoding: encodingOf(keyArn) };
  const reason = whyNotReferable(parent.shard, parent.encoding, now);
  const referable = reason === undefined ? referableTables(parent.shard, description) : new Set<number>();
  log.info('Compared with the parent', { shard, parentId, reason, referable: referable.size });
  const objects = Map.groupBy(parent.shard.chunks, (object) => object.rows?.range.oid);
  const xmin = xminOf(parent.shard.origin);
  return new Map(
    parent.shard.tables
      .filter(({ oid }) => referable.has(oid))
      .map(({ oid, blocks }) => [oid, { blocks, objects: objects.get(oid) ?? [], xmin }]),
  );
}
