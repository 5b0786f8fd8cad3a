import { isoTime } from '../clock.ts';
import { BackupNotRunningError, ManifestError } from '../errors.ts';
import { daysAfter } from '../expiry/calendar.ts';
import { type LockMode, latestLock, lockObject } from '../expiry/lock-objects.ts';
import { namedObjects } from '../expiry/named-objects.ts';
import type { RetentionCatalog } from '../expiry/retention-catalog.ts';
import type { BackupId, OperationId } from '../ids.ts';
import type { ManifestStore, StoredManifest } from '../manifest/manifest-store.ts';
import { objectsOf } from '../manifest/objects-of.ts';
import type { ObjectVersion } from '../objects/bucket.ts';
import { adoptManifest, ownManifest } from './adopt-manifest.ts';
import type { ReencryptionResult } from './model.ts';
import { readReserved } from './plan-reencryption.ts';
import type { ReencryptedObject, ReencryptedObjects } from './reencrypted-objects.ts';
import { replaceObjects } from './replace-objects.ts';
import { isRead, removeSuperseded, type SupersededDependencies } from './superseded.ts';

export interface FinishReencryptionDependencies extends SupersededDependencies {
  readonly reencrypted: ReencryptedObjects;
  readonly retention: Pick<RetentionCatalog, 'raiseLock'>;
  /** Reads manifests by the keys that were asked for. */
  readonly known: ManifestStore;
  /** Reads and writes manifests by the keys as of now. */
  readonly manifests: ManifestStore;
  readonly keyArn: string;
  readonly lockMode: LockMode;
  /** What the bucket locks each new object for, in days; 0: not at all. */
  readonly defaultLockDays: number;
  /** Milliseconds until this invocation ends. */
  readonly remainingMs: () => number;
}

/** Kept back to end in order. */
const endMs = 30_000;

/**
 * Has the backup consist of what was re-encrypted: replaces its manifest, tells the catalogue, which is the step that counts,
 * and removes what the manifest before named. Doing it again goes on where it was.
 *
 * @throws BackupNotRunningError, IncompleteBackupError, ManifestError: the backup is as it was. DependencyError: it is as it was,
 * or as it will be; the sweep finds out which.
 */
export async function finishReencryption(
  deps: FinishReencryptionDependencies,
  about: { readonly backupId: BackupId; readonly operationId: OperationId },
): Promise<ReencryptionResult> {
  const { operations, clock } = deps;
  const { operationId } = about;
  const operation = await operations.get(operationId);
  if (operation?.reencryption !== undefined) return settle(deps, about, operation.reencryption);
  if (operation === undefined || !(await operations.beginCommit(operationId, isoTime(clock.now())))) {
    throw new BackupNotRunningError(`Operation ${operationId} is not running any more.`);
  }
  const stored = await replaceManifest(deps, about);
  const result = {
    ...describe(stored, Date.parse(operation.createdAt), clock.now()),
    ...(await removeOld(deps, stored, operationId)),
  };
  await operations.end(operationId, 'completed', {
    finishedAt: isoTime(clock.now()),
    reencryption: result,
  });
  return settle(deps, about, result);
}

/** Until it is done, the note that the start made has the sweep do it. */
async function settle(
  { catalog }: Pick<FinishReencryptionDependencies, 'catalog'>,
  { backupId, operationId }: { readonly backupId: BackupId; readonly operationId: OperationId },
  result: ReencryptionResult,
): Promise<ReencryptionResult> {
  await catalog.endReencryption(backupId, operationId);
  // The next hourly run looks for what is left.
  await catalog.sweepNeeded(backupId, 0);
  return result;
}

/** What the result of an operation says of the backup as it is stored now. */
export function describe(
  { manifest }: StoredManifest,
  begun: number,
  now: number,
): Pick<ReencryptionResult, 'objects' | 'storedBytes' | 'keyArn' | 'escrow' | 'durationMs'> {
  const objects = objectsOf(manifest);
  const [escrow = null, ...others] = new Set(objects.map((object) => object.escrow ?? null));
  return {
    objects: objects.length,
    storedBytes: manifest.totals.storedBytes,
    keyArn: manifest.encoding.keyArn,
    // A passphrase that was changed meanwhile: not one of them opens all.
    escrow: others.length > 0 ? null : escrow,
    durationMs: Math.max(0, now - begun),
  };
}

async function replaceManifest(
  deps: FinishReencryptionDependencies,
  about: { readonly backupId: BackupId; readonly operationId: OperationId },
): Promise<StoredManifest> {
  const { catalog, clock } = deps;
  const { backupId, operationId } = about;
  const before = await catalog.get(backupId);
  let stored = before && (await ownManifest(deps.manifests, before, operationId));
  if (stored === undefined) {
    const known = await readReserved({ catalog, manifests: deps.known }, about);
    const done: ReencryptedObject[] = [];
    for await (const each of deps.reencrypted.all()) done.push(each);
    const previous = { versionId: known.versionId, sha256: known.sha256 };
    const reencrypted = { at: isoTime(clock.now()), operationId, previous };
    const next = replaceObjects(known.manifest, done, { reencrypted, keyArn: deps.keyArn });
    // The catalogue hears of a lock before S3 does.
    if (deps.defaultLockDays > 0) {
      await deps.retention.raiseLock(backupId, isoTime(daysAfter(clock.now(), deps.defaultLockDays)));
    }
    stored = await deps.manifests.replace(known, next);
  }
  const record = await catalog.get(backupId);
  const until = Date.parse(record?.lockedUntil ?? '');
  if (until > clock.now()) await lockObject(deps.bucket, stored, deps.lockMode, new Date(until));
  await adoptManifest(deps, stored, operationId, record);
  return stored;
}

async function removeOld(
  deps: FinishReencryptionDependencies,
  stored: StoredManifest,
  operationId: OperationId,
): Promise<Pick<ReencryptionResult, 'removed' | 'locked' | 'waiting' | 'oldKeysNeededUntil'>> {
  const { catalog, clock, known } = deps;
  const { backupId, reencrypted } = stored.manifest;
  if (await isRead(deps, backupId, operationId)) {
    return { removed: 0, locked: 0, waiting: true, oldKeysNeededUntil: null };
  }
  // Read before any of it goes: it tells of what the locks may hold.
  const before = reencrypted && (await readBefore(known, backupId, reencrypted.previous.versionId));
  const hasTime = () => deps.remainingMs() > endMs;
  const removal = await removeSuperseded(deps, stored, operationId, hasTime);
  const { objectsRemoved: removed, locked, remaining } = removal;
  const waiting = remaining && locked === 0;
  if (locked === 0) return { removed, locked, waiting, oldKeysNeededUntil: null };
  const latest = (await latestLock(deps.bucket, before ?? [])) ?? 0;
  const { lockedUntil } = (await catalog.get(backupId)) ?? {};
  const until = Math.max(latest, clock.now(), lockedUntil === undefined ? 0 : Date.parse(lockedUntil));
  return { removed, locked, waiting, oldKeysNeededUntil: isoTime(until) };
}

/** What the manifest before named, and itself; nothing where it is gone already. */
async function readBefore(
  known: ManifestStore,
  backupId: BackupId,
  versionId: string | null,
): Promise<ObjectVersion[]> {
  try {
    const stored = await known.read(backupId, versionId);
    return stored === undefined ? [] : [stored, ...namedObjects(stored.manifest)];
  } catch (error) {
    if (error instanceof ManifestError) return [];
    throw error;
  }
}
