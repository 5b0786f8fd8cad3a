import type { Client } from 'pg';
import type { ChunkRecord } from '../catalog/chunk-catalog.ts';
import type { SnapshotOrigin } from '../catalog/snapshot-store.ts';
import { type Clock, isoTime } from '../clock.ts';
import { CopyError } from '../errors.ts';
import type { BackupId, ShardName } from '../ids.ts';
import { isWrappedAsNow } from '../keys/is-wrapped-as-now.ts';
import type { StageTotals } from '../model.ts';
import { rowsKey } from '../objects/object-keys.ts';
import { type StorePlace, storeObject } from '../objects/store-object.ts';
import { sqlState } from '../snapshot/sql.ts';
import { tenantCondition } from '../tenants/condition.ts';
import { selectionContext, tenantContext } from '../tenants/context.ts';
import type { ShardTenant } from '../tenants/model.ts';
import type { BlockRange, ChunkWork, PlannedRange, StoredObject } from '../workflow.ts';
import { copyOut } from './copy-out.ts';
import { type CopiedTable, copySql, describeRange, readCopiedTables } from './copy-sql.ts';
import { blocksOf, isOwn, referTo } from './refer.ts';

export interface CopyDependencies {
  readonly place: StorePlace;
  readonly clock: Clock;
  /** Names this attempt in the keys of its objects. */
  readonly attempt: string;
}

export interface ChunkToCopy {
  readonly backupId: BackupId;
  readonly shard: ShardName;
  readonly origin: SnapshotOrigin;
  readonly work: ChunkWork;
  /** The one tenant that the backup is of; absent: all. */
  readonly tenant?: ShardTenant | undefined;
}

interface CopiedRange {
  readonly object: StoredObject;
  readonly stages: StageTotals;
}

/** Objects on their way at once: the next table is read while the last parts of others are being stored. */
const maxStoring = 4;

/** Names a snapshot's origin in a chunk: chunks with different names do not belong together. */
export const originName = (origin: SnapshotOrigin): string =>
  [origin.systemIdentifier, origin.timeline, origin.snapshot, origin.instant].join('/');

/**
 * Copies the ranges of one work item, each in one pass from COPY to the store. Where the rows are still those of an
 * earlier backup's object, that object is named instead.
 *
 * @param client inside the snapshot's transaction, with the tables locked. It stays usable, also when this fails.
 * @throws CopyError, DependencyError
 */
export async function copyChunk(
  deps: CopyDependencies,
  client: Client,
  chunk: ChunkToCopy,
): Promise<Omit<ChunkRecord, 'signature'>> {
  const startedAt = isoTime(deps.clock.now());
  const { ranges, item } = chunk.work;
  const tables = await readCopiedTables(
    client,
    ranges.map((range) => range.oid),
  );
  const storing: Promise<CopiedRange>[] = [];
  const parts: Promise<CopiedRange>[] = [];
  const failures: unknown[] = [];
  try {
    for (const [index, range] of ranges.entries()) {
      const table = tables.get(range.oid);
      if (table === undefined) throw new CopyError(`${describeRange(range)} is not there.`);
      const mayRefer =
        range.previous !== undefined && (await isWrappedAsNow(deps.place.escrow, range.previous.object));
      const referred = !mayRefer
        ? undefined
        : await referTo(client, chunk.origin, range, table).catch((error: unknown) => {
            throw copyError(range, error);
          });
      if (referred !== undefined) {
        parts.push(Promise.resolve({ object: referred, stages: addStages([]) }));
        continue;
      }
      const { read, stored } = copyRange(deps, client, chunk, range, index, table);
      parts.push(stored);
      storing.push(stored);
      stored.catch((error: unknown) => failures.push(error));
      await read;
      if (failures.length > 0) throw failures[0];
      if (storing.length >= maxStoring) await storing[storing.length - maxStoring];
    }
    await Promise.all(storing);
  } finally {
    // An invocation ends when nothing of it is on its way any more, also when it fails.
    await Promise.allSettled(storing);
  }
  const copied = await Promise.all(parts);
  const objects = copied.map(({ object }) => object);
  const own = objects.filter((object) => isOwn(chunk.backupId, object));
  return {
    shard: chunk.shard,
    item,
    origin: originName(chunk.origin),
    objects,
    rows: sum(objects.map((object) => object.rows?.count ?? 0)),
    bytesRead: sum(own.map((object) => object.plainBytes)),
    bytesStored: sum(own.map((object) => object.storedBytes)),
    bytesReferred:
      sum(objects.map((object) => object.storedBytes)) - sum(own.map((object) => object.storedBytes)),
    stages: addStages(copied.map(({ stages }) => stages)),
    startedAt,
    storedAt: isoTime(deps.clock.now()),
  };
}

/** `read` resolves when the connection is free for the next range, `stored` when the object is complete. */
function copyRange(
  { place, attempt }: CopyDependencies,
  client: Client,
  { backupId, shard, work, tenant }: ChunkToCopy,
  planned: PlannedRange,
  index: number,
  table: CopiedTable,
): { read: Promise<void>; stored: Promise<CopiedRange> } {
  const range = blocksOf(planned);
  const only = onlyOf(planned, tenant);
  const source = copyOut(client, copySql(range, table, only));
  const result = storeObject(place, {
    kind: 'rows',
    key: rowsKey(backupId, shard, { item: work.item, index, attempt }, place.compression.format),
    context: {
      'mainstay:backup': backupId,
      'mainstay:shard': shard,
      'mainstay:kind': 'rows',
      'mainstay:table': `${range.schema}.${range.name}`,
      'mainstay:blocks': `${range.fromBlock}-${range.toBlock ?? ''}`,
      ...tenantContext(tenant),
      ...selectionContext(tenant, only === undefined ? 'all' : 'tenant'),
    },
    source,
    consumed: (piece) => source.reuse(piece),
  });
  const stored = result.then(
    ({ object, stages }) => ({ object: { ...object, rows: { range, count: source.rows } }, stages }),
    (error: unknown) => {
      source.destroy();
      throw copyError(range, error);
    },
  );
  return { read: source.settled, stored };
}

/** The condition that keeps a range to a tenant's rows. @throws CopyError when nobody said which tenant. */
function onlyOf(range: PlannedRange, tenant: ShardTenant | undefined): string | undefined {
  if (range.tenantKey === undefined) return undefined;
  if (tenant === undefined)
    throw new CopyError(`${describeRange(range)} is to be copied for an unknown tenant.`);
  return tenantCondition(range.tenantKey, tenant.id);
}

function copyError(range: BlockRange, error: unknown): unknown {
  if (sqlState(error) === undefined) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new CopyError(`Copying ${describeRange(range)} failed: ${message}`, { cause: error });
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** Adds up what the stages of several objects did. */
export function addStages(all: readonly StageTotals[]): StageTotals {
  const total = (stage: keyof StageTotals) => ({
    bytes: sum(all.map((stages) => stages[stage].bytes)),
    durationMs: sum(all.map((stages) => stages[stage].durationMs)),
  });
  return {
    dump: total('dump'),
    compress: total('compress'),
    encrypt: total('encrypt'),
    hash: total('hash'),
    store: total('store'),
  };
}
