import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import type { ChunkCatalog, ChunkRecord, ShardRecord } from '../catalog/chunk-catalog.ts';
import type { ComponentCatalog } from '../catalog/component-catalog.ts';
import { shardDescriptionSchema } from '../chunks/describe-shard.ts';
import { isOwn } from '../chunks/refer.ts';
import { type Clock, isoTime } from '../clock.ts';
import { readComponentProgress } from '../component-progress.ts';
import { BackupNotRunningError, IncompleteBackupError } from '../errors.ts';
import type { BackupId, ShardName } from '../ids.ts';
import { type VerifyPlace, verifyObject } from '../objects/verify-object.ts';
import { pickUp } from '../objects/work-objects.ts';
import { readProgress } from '../read-progress.ts';
import { leavesOut, requireTenant } from '../tenants/require-tenant.ts';
import { toolVersions } from '../tools.ts';
import type { StoredObject } from '../workflow.ts';
import { assembleShard, planSchema } from './assemble.ts';
import { assembleComponents, type ComponentSections } from './assemble-components.ts';
import { componentObjects } from './components.ts';
import { encodingOf } from './encoding.ts';
import { type Manifest, type ManifestShard, ownBytes } from './manifest.ts';
import type { ManifestStore, StoredManifest } from './manifest-store.ts';
import { shardObjects } from './objects-of.ts';
import { readParent } from './parent.ts';

export interface CommitDependencies {
  readonly catalog: BackupCatalog;
  readonly chunks: ChunkCatalog;
  readonly components: ComponentCatalog;
  readonly place: VerifyPlace;
  readonly manifests: ManifestStore;
  readonly clock: Clock;
}

export interface Committed {
  readonly record: BackupRecord;
  readonly manifest: StoredManifest;
}

/**
 * Makes a backup of what was stored: proves that it is complete, writes the manifest, and notes that it exists. Doing it
 * again after it was done changes nothing.
 *
 * @throws IncompleteBackupError, BackupNotRunningError, ManifestError, DependencyError; without a manifest written.
 */
export async function commitBackup(deps: CommitDependencies, backupId: BackupId): Promise<Committed> {
  const { catalog, clock } = deps;
  const record = await catalog.get(backupId);
  if (record === undefined) throw new BackupNotRunningError(`There is no backup ${backupId}.`);
  const shards = await assemble(deps, record);
  if (record.tenant !== undefined) requireTenant(record.tenant, shards);
  const components = await assembleComponents(deps, record);
  const committedAt = await catalog.beginCommit(backupId, isoTime(clock.now()));
  if (committedAt === undefined)
    throw new BackupNotRunningError(`Backup ${backupId} is not running any more.`);
  const manifest = await deps.manifests.write(
    toManifest(record, committedAt, { shards, ...components }, deps.place.keyArn),
  );

  const finishedAt = isoTime(clock.now());
  const { progress, shardDetails, rows } = await readProgress(deps.chunks, record, clock.now(), 'done');
  await catalog.complete(backupId, {
    manifest: { key: manifest.key, versionId: manifest.versionId, sha256: manifest.sha256 },
    finishedAt,
    skewMs: manifest.manifest.skewMs,
    sizeBytes: ownBytes(manifest.manifest),
    referencedBytes: manifest.manifest.totals.referred?.storedBytes ?? 0,
    progress: { ...progress, etaMs: 0 },
    ...(await readComponentProgress(deps.components, record.components)),
    ...(record.tenant && { leavesOut: leavesOut(manifest.manifest) }),
    shardDetails: shardDetails.map((shard) => ({ ...shard, stage: 'done' })),
    rows,
  });
  const completed = await catalog.get(backupId);
  if (completed?.state !== 'completed') {
    throw new BackupNotRunningError(`Backup ${backupId} is not running any more.`);
  }
  return { record: completed, manifest };
}

async function assemble(deps: CommitDependencies, record: BackupRecord): Promise<ManifestShard[]> {
  const chunks = new Map<ShardName, ChunkRecord[]>(record.shards.map((shard) => [shard, []]));
  for await (const chunk of deps.chunks.chunks()) chunks.get(chunk.shard)?.push(chunk);
  const shardRecords = new Map((await deps.chunks.shards()).map((shard) => [shard.shard, shard]));
  const shards: ManifestShard[] = [];
  for (const name of record.shards) {
    const shard = shardRecords.get(name);
    if (shard === undefined) throw new IncompleteBackupError(`${name} was not backed up.`);
    if (shard.plan === undefined || shard.description === undefined) {
      throw new IncompleteBackupError(`${name} was not planned.`);
    }
    const plan = planSchema.parse(await pickUp(deps.place.bucket, shard.plan));
    const description = shardDescriptionSchema.parse(await pickUp(deps.place.bucket, shard.description));
    await proveSchema(deps.place, shard);
    const own = chunks.get(name) ?? [];
    const refers = own.some(({ objects }) => objects.some((object) => !isOwn(record.id, object)));
    const parentId = refers ? record.parents?.[name] : undefined;
    const parent = parentId === undefined ? undefined : await readParent(deps, parentId, record.id, name);
    const encoding = encodingOf(deps.place.keyArn);
    const { id: backupId } = record;
    const { tenant } = record;
    shards.push(
      assembleShard({ record: shard, plan, description, chunks: own, backupId, encoding, parent, tenant }),
    );
  }
  return shards;
}

/** Reads DDL and sequence values back; the rows were read back chunk by chunk. */
async function proveSchema(place: VerifyPlace, shard: ShardRecord): Promise<void> {
  const objects = [shard['pre-data'], shard['post-data'], shard.sequences];
  for (const object of objects.filter((object): object is StoredObject => object !== undefined)) {
    const { problem } = await verifyObject(place, object, 'full');
    if (problem !== undefined) {
      throw new IncompleteBackupError(`${object.key} is damaged (${problem.problem}): ${problem.detail}`);
    }
  }
}

function toManifest(
  record: BackupRecord,
  committedAt: string,
  { shards, ...components }: ComponentSections & { shards: ManifestShard[] },
  keyArn: string,
): Manifest {
  const instants = shards.map(({ origin }) => Date.parse(origin.instant));
  const objects = [...shards.flatMap(shardObjects), ...componentObjects(components)];
  const total = (value: (object: StoredObject) => number) =>
    objects.reduce((sum, object) => sum + value(object), 0);
  return {
    format: 'mainstay.backup',
    formatVersion: 1,
    backupId: record.id,
    type: record.type === 'incremental' ? 'incremental' : 'full',
    createdAt: record.createdAt,
    committedAt,
    encoding: encodingOf(keyArn),
    tools: toolVersions,
    ...(record.tenant && { tenant: record.tenant }),
    shards,
    ...components,
    skewMs: instants.length === 0 ? 0 : Math.max(...instants) - Math.min(...instants),
    totals: {
      objects: objects.length,
      rows: total((object) => object.rows?.count ?? 0),
      plainBytes: total((object) => object.plainBytes),
      storedBytes: total((object) => object.storedBytes),
      referred: {
        objects: total((object) => (isOwn(record.id, object) ? 0 : 1)),
        storedBytes: total((object) => (isOwn(record.id, object) ? 0 : object.storedBytes)),
      },
    },
  };
}
