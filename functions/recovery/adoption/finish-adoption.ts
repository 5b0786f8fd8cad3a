import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { BackupRecord } from '../catalog/backup-record.ts';
import type { OperationCatalog } from '../catalog/operation-catalog.ts';
import { type Clock, isoTime } from '../clock.ts';
import { BackupNotRunningError, ManifestError } from '../errors.ts';
import { daysAfter } from '../expiry/calendar.ts';
import type { RetentionCatalog } from '../expiry/retention-catalog.ts';
import type { BackupId, OperationId } from '../ids.ts';
import type { ManifestStore, StoredManifest } from '../manifest/manifest-store.ts';
import { describe } from '../reencryption/finish-reencryption.ts';
import type { ReencryptionResult } from '../reencryption/model.ts';
import type { ReencryptedObject, ReencryptedObjects } from '../reencryption/reencrypted-objects.ts';
import { adoptedManifest } from './adopted-manifest.ts';
import { outcomeOf } from './adopted-record.ts';

export interface FinishAdoptionDependencies {
  readonly catalog: BackupCatalog;
  readonly operations: OperationCatalog;
  readonly retention: Pick<RetentionCatalog, 'raiseLock'>;
  /** What was stored so far, and what it stands for. */
  readonly reencrypted: ReencryptedObjects;
  /** Reads the manifests of the vault. */
  readonly known: ManifestStore;
  /** Reads and writes those of the deployment. */
  readonly manifests: ManifestStore;
  readonly keyArn: string;
  /** What the bucket locks each new object for, in days; 0: not at all. */
  readonly defaultLockDays: number;
  readonly clock: Pick<Clock, 'now'>;
}

type About = { readonly backupId: BackupId; readonly operationId: OperationId };

/**
 * Makes a backup of what was stored: writes its manifest, and has the catalogue say that it is complete. Doing it again goes on
 * where it was.
 *
 * @throws BackupNotRunningError, IncompleteBackupError, ManifestError, DependencyError
 */
export async function finishAdoption(
  deps: FinishAdoptionDependencies,
  about: About,
): Promise<ReencryptionResult> {
  const { catalog, operations, clock } = deps;
  const { backupId, operationId } = about;
  const [operation, record] = await Promise.all([operations.get(operationId), catalog.get(backupId)]);
  if (operation?.reencryption !== undefined) return operation.reencryption;
  const now = isoTime(clock.now());
  const adopted = record?.adopted;
  const at = adopted && (await catalog.beginCommit(backupId, now));
  if (!operation || !adopted || at === undefined || !(await operations.beginCommit(operationId, now))) {
    throw new BackupNotRunningError(`Operation ${operationId} is not running any more.`);
  }
  const stored =
    (await deps.manifests.read(backupId, null)) ?? (await writeManifest(deps, about, adopted, at));
  if (deps.defaultLockDays > 0) {
    await deps.retention.raiseLock(backupId, isoTime(daysAfter(clock.now(), deps.defaultLockDays)));
  }
  const finishedAt = isoTime(clock.now());
  const { key, versionId, sha256, manifest } = stored;
  await catalog.complete(backupId, {
    ...outcomeOf(manifest),
    ...{ manifest: { key, versionId, sha256 }, finishedAt, skewMs: manifest.skewMs },
  });
  if ((await catalog.get(backupId))?.state !== 'completed') {
    throw new BackupNotRunningError(`Backup ${backupId} is not running any more.`);
  }
  const result = {
    ...describe(stored, Date.parse(operation.createdAt), clock.now()),
    ...{ removed: 0, locked: 0, waiting: false, oldKeysNeededUntil: null },
  };
  await operations.end(operationId, 'completed', { finishedAt, reencryption: result });
  return result;
}

async function writeManifest(
  { known, manifests, reencrypted, keyArn }: FinishAdoptionDependencies,
  { backupId, operationId }: About,
  from: NonNullable<BackupRecord['adopted']>,
  at: string,
): Promise<StoredManifest> {
  const source = await known.read(from.backupId, from.versionId);
  if (source === undefined || source.sha256 !== from.sha256) {
    throw new ManifestError('The manifest in the vault is not the one that was read first.');
  }
  const stored: ReencryptedObject[] = [];
  for await (const each of reencrypted.all()) stored.push(each);
  return manifests.write(
    adoptedManifest(source.manifest, stored, {
      ...{ backupId, keyArn },
      adopted: { at, operationId, from },
    }),
  );
}
