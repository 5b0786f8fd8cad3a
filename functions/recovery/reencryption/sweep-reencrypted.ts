import type { Logger } from '@aws-lambda-powertools/logger';
import type { NeededSweep } from '../catalog/backup-catalog.ts';
import { type BackupRecord, notReencrypting } from '../catalog/backup-record.ts';
import { isAtWork } from '../catalog/operation-catalog.ts';
import { ManifestError } from '../errors.ts';
import { type OperationId, operationIdSchema } from '../ids.ts';
import type { ManifestStore } from '../manifest/manifest-store.ts';
import { noRemoval, type Removal } from '../objects/remove-prefix.ts';
import { stragglersUntil } from '../stragglers.ts';
import { adoptManifest, ownManifest } from './adopt-manifest.ts';
import { isRead, removeSuperseded, type SupersededDependencies } from './superseded.ts';

export interface SweepReencryptedDependencies extends SupersededDependencies {
  readonly manifests: ManifestStore;
  readonly log: Pick<Logger, 'warn'>;
}

const dayMs = 86_400_000;
const later: Removal = { ...noRemoval, remaining: true };

/**
 * Settles what the re-encryption of a completed backup has left. One that was cut short is taken to its end where it had
 * replaced the manifest, and is given up where it had not; then what the manifest does not name is removed, when nothing reads
 * it any more. What Object Lock holds is looked at again when that ends.
 *
 * @returns whether anything is left, `remaining`, for a later run.
 * @throws DependencyError
 */
export async function sweepReencrypted(
  deps: SweepReencryptedDependencies,
  { id, reencrypting = notReencrypting }: BackupRecord,
  needed: NeededSweep | undefined,
  hasTime: () => boolean,
): Promise<Removal> {
  const { catalog, clock, manifests } = deps;
  if (reencrypting !== notReencrypting && !(await settle(deps, id, operationIdSchema.parse(reencrypting)))) {
    return later;
  }
  const record = await catalog.get(id);
  if (record?.state !== 'completed' || record.manifest === undefined || (await isRead(deps, id, undefined))) {
    return later;
  }
  const stored = await manifests.read(id, record.manifest.versionId);
  if (stored?.sha256 !== record.manifest.sha256) {
    throw new ManifestError(`The manifest of ${id} is not the one that was committed: nothing is removed.`);
  }
  const removal = await removeSuperseded(deps, stored, undefined, hasTime);
  if (removal.locked > 0) {
    const lockedUntil = Date.parse(record.lockedUntil ?? '');
    await catalog.sweepNeeded(id, lockedUntil > clock.now() ? lockedUntil : clock.now() + dayMs);
  } else if (!removal.remaining) await catalog.sweepDone(id, needed);
  return removal;
}

/** @returns whether the backup is reserved for the operation no more. */
async function settle(
  deps: SweepReencryptedDependencies,
  id: BackupRecord['id'],
  operationId: OperationId,
): Promise<boolean> {
  const { catalog, operations, clock, log } = deps;
  const operation = await operations.get(operationId);
  if (operation !== undefined && isAtWork(operation)) return false;
  // A function that outlives its execution may be about to replace the manifest.
  const { finishedAt } = operation ?? {};
  if (finishedAt !== undefined && stragglersUntil(Date.parse(finishedAt)) > clock.now()) return false;
  const record = await catalog.get(id);
  const own = record && (await ownManifest(deps.manifests, record, operationId));
  if (own !== undefined) await adoptManifest(deps, own, operationId, record);
  log.warn('A re-encryption was cut short', { backupId: id, operationId, replaced: own !== undefined });
  return catalog.endReencryption(id, operationId);
}
