import type * as z from 'zod';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import type { OperationCatalog } from '../catalog/operation-catalog.ts';
import type { RestoreCatalog } from '../catalog/restore-catalog.ts';
import { type Clock, isoTime } from '../clock.ts';
import { DrillConflictError, DrillNotRunningError, DrillSkippedError, ManifestError } from '../errors.ts';
import { operationIdSchema, type ShardName, shardNameSchema } from '../ids.ts';
import type { KeySource } from '../keys/key-source.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { ManifestStore } from '../manifest/manifest-store.ts';
import { shardObjects } from '../manifest/objects-of.ts';
import type { Bucket } from '../objects/bucket.ts';
import { chooseRestorePoint, isChoice, listRestorePoints, requireRestorePoint } from './choose.ts';
import type { DrillCatalog } from './drill-catalog.ts';
import type { DrillLock } from './drill-lock.ts';
import type { DrillRecord } from './drill-record.ts';
import type { planDrillEventSchema, planDrillResultSchema } from './events.ts';
import { drillIdOf, restoreOf, scratchName } from './ids.ts';
import { measureRpo } from './measure.ts';
import type { Reuse } from './model.ts';
import { proveUnchanged } from './proof.ts';

export interface PlanDrillDependencies {
  readonly drills: DrillCatalog;
  readonly lock: DrillLock;
  readonly backups: BackupCatalog;
  readonly restores: RestoreCatalog;
  readonly operations: OperationCatalog;
  readonly manifestsOf: (keys: KeySource) => ManifestStore;
  readonly bucket: Bucket;
  readonly listShards: () => Promise<readonly { readonly name: string }[]>;
  readonly clock: Clock;
  /** A number from 0 to below its argument, each as likely as the other. */
  readonly pick: (below: number) => number;
  /** Whether there is time to ask S3 of one more object. */
  readonly hasTime: () => boolean;
  readonly traceparent: string;
  readonly stateMachines: { readonly restore: string; readonly verification: string };
}

/**
 * Chooses the backup, measures what would be lost now, and notes the restore (and, where the stored objects are not provably
 * those that were verified, the verification before it) that the workflow starts next. Doing it again changes nothing.
 *
 * @throws DrillSkippedError, DrillConflictError, UnknownBackupError, BackupNotRunningError, UnknownShardError, ManifestError,
 * DrillNotRunningError, DependencyError
 */
export async function planDrill(
  deps: PlanDrillDependencies,
  event: z.output<typeof planDrillEventSchema>,
): Promise<z.output<typeof planDrillResultSchema>> {
  const { drills, clock, traceparent } = deps;
  const record = await begin(deps, event);
  const { id } = record;
  const startedAt = Date.parse(event.startedAt);
  const points = await listRestorePoints(deps.backups);
  const backup = await chosenBackup(deps, record, points);
  const shards = [...(record.wantedShards ?? backup.shards)].sort();
  const rpo = measureRpo(points, await rpoShards(deps, record, backup), startedAt);
  const reuse = await findReuse(deps, record, backup, shards);
  const now = clock.now();
  const chosen = {
    ...{ backupId: backup.id, backupCreatedAt: backup.createdAt, shards, rpo, reuse },
    ...(reuse.reused ? { restoreRequestedAt: isoTime(now) } : {}),
  };
  if (!(await drills.choose(id, chosen))) {
    throw new DrillNotRunningError(`Drill ${id} is not running any more.`);
  }
  const requestedBy = record.requestedBy ?? 'schedule';
  const { keys } = record;
  const common = { backupId: backup.id, keys, traceparent, requestedBy, createdAt: isoTime(now) };
  await deps.restores.create({
    ...common,
    id: restoreOf(id),
    mode: 'new',
    dryRun: false,
    shards,
    database: scratchName(id),
    drill: true,
  });
  // Should nobody come back: the scratch databases are removed when no drill can need them any more.
  await deps.restores.discardNeeded(restoreOf(id), startedAt + event.timeoutSeconds * 1000);
  if (reuse.operationId !== null) {
    await deps.operations.create({ ...common, id: reuse.operationId, kind: 'verify-hash' });
  }
  await drills.setStage(id, reuse.reused ? 'restore' : 'verification');
  const execution = (machine: string) => `${machine.replace(':stateMachine:', ':execution:')}:${id}`;
  return {
    ...{ drillId: id, traceparent, backupId: backup.id, shards, verify: !reuse.reused },
    verification: {
      name: id,
      executionArn: execution(deps.stateMachines.verification),
      input: { traceparent, backupId: backup.id, mode: 'hash', keys, requestedBy },
    },
    restore: {
      name: id,
      executionArn: execution(deps.stateMachines.restore),
      input: { restoreId: restoreOf(id), traceparent },
    },
  };
}

/** A drill that a schedule has started is not known yet. */
async function begin(
  { drills, lock, clock, traceparent }: PlanDrillDependencies,
  { executionName, executionArn, startedAt, input }: z.output<typeof planDrillEventSchema>,
): Promise<DrillRecord> {
  const id = drillIdOf(executionName);
  try {
    await lock.acquire(id, clock.now());
  } catch (error) {
    if (!(error instanceof DrillConflictError) || (await drills.get(id)) !== undefined) throw error;
    throw new DrillSkippedError(error.message);
  }
  await drills.create({
    id,
    trigger: 'schedule',
    restorePoint: input.restorePoint ?? 'latest',
    keys: 'kms',
    reuseVerification: true,
    traceparent,
    createdAt: isoTime(Date.parse(startedAt)),
  });
  const started = await drills.start(id, { executionArn, startedAt: isoTime(Date.parse(startedAt)) });
  const record = await drills.get(id);
  if (!started || record === undefined) {
    throw new DrillNotRunningError(`Drill ${id} was canceled before it began.`);
  }
  return record;
}

function chosenBackup(
  { backups, pick }: PlanDrillDependencies,
  { backupId, restorePoint, wantedShards }: DrillRecord,
  points: readonly BackupRecord[],
): BackupRecord | Promise<BackupRecord> {
  if (backupId !== undefined) return requireRestorePoint(backups, backupId, wantedShards);
  if (!isChoice(restorePoint)) {
    return requireRestorePoint(backups, restorePoint, wantedShards);
  }
  return chooseRestorePoint(points, restorePoint, wantedShards, pick);
}

/** What would be lost is asked of every shard there is, unless the drill is about some, or about one backup. */
async function rpoShards(
  { listShards }: PlanDrillDependencies,
  { wantedShards, restorePoint }: DrillRecord,
  backup: BackupRecord,
): Promise<readonly ShardName[]> {
  if (wantedShards !== undefined) return wantedShards;
  if (!isChoice(restorePoint)) return backup.shards;
  return (await listShards()).map(({ name }) => shardNameSchema.parse(name));
}

async function findReuse(
  deps: PlanDrillDependencies,
  { id, keys, reuseVerification, reuse }: DrillRecord,
  backup: BackupRecord,
  shards: readonly ShardName[],
): Promise<Reuse> {
  const manifest = await readManifest(deps.manifestsOf(keys), backup);
  if (reuse !== undefined) return reuse;
  const anew = (reason: string, objects = 0): Reuse => ({
    ...{ reused: false, reason, objects },
    operationId: operationIdSchema.parse(id),
  });
  if (!reuseVerification) return anew('It was asked for.');
  if ((backup.verification?.findings ?? 0) > 0) return anew('The latest verification has found damage.');
  const objects = manifest.shards.filter(({ name }) => shards.includes(name)).flatMap(shardObjects);
  const proof = await proveUnchanged(deps.bucket, objects, deps.hasTime);
  if (!proof.proven) return anew(proof.reason, proof.objects);
  const reason = 'The manifest is authentic, and S3 has each of its objects in that version and size.';
  return { reused: true, reason, objects: proof.objects, operationId: null };
}

async function readManifest(
  manifests: ManifestStore,
  { id, manifest: known }: BackupRecord,
): Promise<Manifest> {
  const stored = await manifests.read(id, known?.versionId ?? null);
  if (stored === undefined) throw new ManifestError(`The manifest of ${id} is missing.`);
  if (stored.sha256 === known?.sha256) return stored.manifest;
  throw new ManifestError('The manifest is authentic, but it is not the one that was committed.');
}
