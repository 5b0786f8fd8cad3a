import type { RDSClient } from '@aws-sdk/client-rds';
import type * as z from 'zod';
import type { Shard } from '../../shared/shards.ts';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import { type RestoreCatalog, restoredName, safetyBackupName } from '../catalog/restore-catalog.ts';
import type { RestoreNotes } from '../catalog/restore-notes.ts';
import { ofBackup, type RestoreOfBackup, type RestoreRecord } from '../catalog/restore-record.ts';
import { type Clock, isoTime } from '../clock.ts';
import {
  ManifestError,
  RestoreNotRunningError,
  UnknownBackupError,
  UnknownShardError,
  UnknownTableError,
} from '../errors.ts';
import { planRestoreFiles } from '../files/plan-restore-files.ts';
import { filesSelectionSchema } from '../files/restore-model.ts';
import { type BackupId, backupIdSchema, type RestoreId } from '../ids.ts';
import type { Manifest, ManifestShard } from '../manifest/manifest.ts';
import type { ManifestStore } from '../manifest/manifest-store.ts';
import type { Bucket } from '../objects/bucket.ts';
import { restoreKey } from '../objects/object-keys.ts';
import type { VerifyPlace } from '../objects/verify-object.ts';
import { leave } from '../objects/work-objects.ts';
import { findWriter } from '../plan-backup.ts';
import { qualifiedName } from '../snapshot/sql.ts';
import type { Tenant, TenantsConfig } from '../tenants/model.ts';
import { selectTenant } from '../tenants/select-tenant.ts';
import { divide } from '../verification/plan-verification.ts';
import type { BackupInput } from '../workflow.ts';
import { estimateMs } from './estimate.ts';
import type { planRestoreResultSchema, ShardPlan } from './events.ts';
import { ofTenant } from './of-tenant.ts';

export interface PlanRestoreDependencies {
  readonly restores: RestoreCatalog;
  readonly backups: BackupCatalog;
  readonly notes: RestoreNotes;
  readonly manifests: ManifestStore;
  readonly bucket: Bucket;
  /** Where the list of files is read. */
  readonly place: () => VerifyPlace;
  readonly rds: RDSClient;
  readonly listShards: () => Promise<readonly Shard[]>;
  readonly clock: Clock;
  /** The workflow of backups. */
  readonly stateMachineArn: string;
  /** How the platform keeps its tenants apart; absent: no single one is restored out of a platform's backup. */
  readonly tenants?: TenantsConfig | undefined;
}

type PlannedRestore = Omit<z.output<typeof planRestoreResultSchema>, 'traceparent' | 'bucket'>;

/** Bounds of what one invocation loads: a function has 15 minutes, and what fails is loaded again. */
const loadBounds = { objects: 20, bytes: 256 * 1024 * 1024 };

/**
 * Reads the manifest, chooses shards and tables, finds the writers, and leaves a plan for each shard. Doing it again
 * changes nothing.
 *
 * @throws UnknownBackupError, UnknownShardError, UnknownTableError, ManifestError, RestoreNotRunningError, DependencyError
 */
export async function planRestore(
  deps: PlanRestoreDependencies,
  restoreId: RestoreId,
  executionArn: string,
): Promise<PlannedRestore> {
  const record = ofBackup(await deps.restores.get(restoreId));
  if (record === undefined) throw new RestoreNotRunningError(`There is no restore ${restoreId}.`);
  const manifest = await readManifest(deps, record);
  const wanted = manifest.shards.filter(({ name }) => record.shards.includes(name));
  const selection = record.tenant && selectTenant(deps.tenants, record.tenant);
  const plans = ofTenant(chooseTables(wanted, record.tables, manifest.tenant), selection);
  const known = new Map<string, Shard>((await deps.listShards()).map((shard) => [shard.name, shard]));
  const filesKey = await planFiles(deps, record, manifest);
  const safetyBackup = await planSafetyBackup(deps, record);
  const shards: PlannedRestore['shards'] = [];
  for (const [shard, plan] of plans) {
    const target = known.get(shard.name);
    if (target === undefined) {
      throw new UnknownShardError(
        `The backup is of shard "${shard.name}", which this deployment does not have.`,
      );
    }
    const { instance } = await findWriter(deps.rds, target);
    const database = record.database ?? restoredName(target.database, restoreId);
    const items = divide(objectsOf(shard, plan), loadBounds);
    const itemsKey = restoreKey(restoreId, shard.name, 'items');
    await leave(deps.bucket, itemsKey, items.length === 0 ? [{ item: 0, objects: [] }] : items);
    const { host, port } = instance;
    await deps.notes.setShard(shard.name, {
      stage: record.mode === 'replace' && !record.dryRun ? 'safety-backup' : 'schema',
      database,
      host,
      port,
      original: target.database,
      objectsTotal: items.reduce((sum, { objects }) => sum + objects.length, 0),
      settled: record.dryRun,
    });
    shards.push({
      name: shard.name,
      original: target.database,
      database,
      host,
      port,
      epoch: target.epoch,
      plan: await leave(deps.bucket, restoreKey(restoreId, shard.name, 'plan'), plan),
      itemsKey,
      comparisonKey: restoreKey(restoreId, shard.name, 'comparison'),
    });
  }
  await begin(deps, record, executionArn, plans, safetyBackup.id);
  const { backupId, mode, dryRun } = record;
  const parts = {
    files: record.components.includes('files'),
    configuration: record.components.includes('configuration'),
  };
  return { restoreId, backupId, mode, dryRun, safetyBackup, shards, parts, filesKey };
}

/** @returns where the work items of the files are; nothing where none are restored. */
async function planFiles(
  { place, bucket, notes }: PlanRestoreDependencies,
  { id, components, files: selection }: RestoreOfBackup,
  { files, backupId }: Manifest,
): Promise<string> {
  if (!components.includes('files')) return '';
  if (files === undefined) throw new ManifestError(`The manifest of ${backupId} has no files.`);
  const all = filesSelectionSchema.parse({});
  const planned = await planRestoreFiles(place(), bucket, files, id, selection ?? all);
  await notes.putFilesPlan({ files: planned.files, bytes: planned.bytes });
  return planned.key;
}

/**
 * The backup that is taken before anything is replaced. One that an earlier attempt has completed is good enough: what is
 * replaced is the same.
 */
async function planSafetyBackup(
  { backups, stateMachineArn }: PlanRestoreDependencies,
  { id, attempts, safetyBackupId, shards, traceparent, requestedBy }: RestoreRecord,
): Promise<PlannedRestore['safetyBackup']> {
  const earlier = safetyBackupId && (await backups.get(safetyBackupId));
  const name =
    earlier?.state === 'completed' ? earlier.id : backupIdSchema.parse(safetyBackupName(id, attempts));
  const input: BackupInput = { traceparent, trigger: 'restore', type: 'full', requestedBy, shards };
  const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  return { id: name, executionArn, input };
}

async function readManifest(deps: PlanRestoreDependencies, { backupId }: RestoreOfBackup): Promise<Manifest> {
  const backup = await deps.backups.get(backupId);
  if (backup?.state !== 'completed' || backup.manifest === undefined) {
    throw new UnknownBackupError(`There is no complete backup ${backupId}.`);
  }
  const stored = await deps.manifests.read(backupId, backup.manifest.versionId);
  if (stored === undefined) throw new ManifestError(`The manifest of ${backupId} is missing.`);
  if (stored.sha256 !== backup.manifest.sha256) {
    throw new ManifestError('The manifest is authentic, but it is not the one that was committed.');
  }
  return stored.manifest;
}

/**
 * What is restored of each shard.
 *
 * @param tenant the one that the backup is of; absent: the whole platform.
 * @throws UnknownTableError naming tables that no chosen shard has.
 */
export function chooseTables(
  shards: readonly ManifestShard[],
  tables: readonly string[] | undefined,
  tenant?: Tenant,
): [ManifestShard, ShardPlan][] {
  const missing = new Set(tables);
  const plans = shards.map((shard): [ManifestShard, ShardPlan] => {
    const chosen = shard.tables.filter((table) => {
      const names = [qualifiedName(table), `${table.schema}.${table.name}`];
      for (const name of names) missing.delete(name);
      return tables === undefined || tables.some((name) => names.includes(name));
    });
    const { preData, postData, sequences, server, extensions, roles } = shard;
    const partial = tables !== undefined || tenant !== undefined;
    const oneSchema = tenant?.by === 'schema';
    return [
      shard,
      { preData, postData, sequences, server, extensions, roles, tables: chosen, partial, oneSchema },
    ];
  });
  if (missing.size > 0) {
    throw new UnknownTableError(
      `The backup has no table ${[...missing].join(', ')}. Partitions are named one by one.`,
    );
  }
  return plans;
}

/** The objects that hold the rows of the chosen tables. */
function objectsOf(shard: ManifestShard, plan: ShardPlan): ManifestShard['chunks'] {
  const oids = new Set(plan.tables.map(({ oid }) => oid));
  return shard.chunks.filter(({ rows }) => rows !== undefined && oids.has(rows.range.oid));
}

async function begin(
  { restores, clock }: PlanRestoreDependencies,
  record: RestoreRecord,
  executionArn: string,
  plans: readonly [ManifestShard, ShardPlan][],
  safetyBackupId: BackupId,
): Promise<void> {
  const objects = plans.flatMap(([shard, plan]) => objectsOf(shard, plan));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const bytes = sum(objects.map(({ plainBytes }) => plainBytes));
  const plan = {
    objects: objects.length,
    rows: sum(objects.map(({ rows }) => rows?.count ?? 0)),
    bytes,
    storedBytes: sum(objects.map(({ storedBytes }) => storedBytes)),
    estimatedMs: estimateMs(bytes, (await restores.list(20)).restores),
  };
  const startedAt = record.startedAt ?? isoTime(clock.now());
  if (!(await restores.start(record.id, { executionArn, startedAt, plan, safetyBackupId }))) {
    throw new RestoreNotRunningError(`Restore ${record.id} was canceled before it began.`);
  }
}
