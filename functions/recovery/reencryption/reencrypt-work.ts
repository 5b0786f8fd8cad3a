import { pipeline } from 'node:stream/promises';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { OperationCatalog } from '../catalog/operation-catalog.ts';
import { BackupNotRunningError, DamagedObjectError, IncompleteBackupError } from '../errors.ts';
import { type LockMode, lockObject } from '../expiry/lock-objects.ts';
import type { BackupId, OperationId } from '../ids.ts';
import { partNumber, reencryptedKey } from '../objects/object-keys.ts';
import { checkBytes, isProblem } from '../objects/read-object.ts';
import { type StorePlace, storeObject } from '../objects/store-object.ts';
import { type VerifyPlace, verifyObject, whyUnreadable } from '../objects/verify-object.ts';
import { decryptStage, kmsKeyring } from '../stages/encrypt.ts';
import type { StoredObject } from '../workflow.ts';
import type { ReencryptionWork } from './events.ts';
import { type ReencryptedObjects, standsFor } from './reencrypted-objects.ts';

/** Contents are compressed already, and stay as they are: this is never used. */
const asItCame = { format: 'zstd', level: 1 } as const;

export interface ReencryptWorkDependencies {
  readonly catalog: BackupCatalog;
  readonly operations: OperationCatalog;
  readonly reencrypted: ReencryptedObjects;
  /** What the backup is opened with. */
  readonly from: VerifyPlace;
  /** Where the new messages go, and what wraps their data keys. */
  readonly to: Omit<StorePlace, 'compression'>;
  /** What reads them back. */
  readonly verify: VerifyPlace;
  readonly lockMode: LockMode;
  readonly clock: { now(): number };
  /** Names this attempt in the keys of what it stores. */
  readonly attempt: string;
}

/**
 * Stores a bounded number of objects anew, under the keys as of now: each is read in the version that the manifest names,
 * compared with its SHA-256, decrypted, encrypted about the same, stored, locked for as long as the backup is, and read back.
 * What an earlier attempt has done is not done again.
 *
 * @throws BackupNotRunningError, DamagedObjectError, IncompleteBackupError, EscrowError, DependencyError
 */
export async function reencryptWork(
  deps: ReencryptWorkDependencies,
  about: { readonly backupId: BackupId; readonly operationId: OperationId },
  { item, first, objects }: ReencryptionWork,
): Promise<{ item: number; objects: number; storedBytes: number }> {
  const { operations, reencrypted } = deps;
  let storedBytes = 0;
  for (const [offset, object] of objects.entries()) {
    const index = first + offset;
    const done = await reencrypted.get(index);
    const until = await requireReserved(deps, about);
    const stored =
      done !== undefined && standsFor(done, object)
        ? done.object
        : await reencryptObject(deps, about, { index, object, until });
    storedBytes += stored.storedBytes;
  }
  const note = { objects: objects.length, storedBytes, findings: [] };
  await operations.note(about.operationId, partNumber(item), note);
  return { item, objects: objects.length, storedBytes };
}

/** @returns until when the backup is locked, in milliseconds since the epoch; nothing where it is not. */
async function requireReserved(
  { catalog, operations, clock }: ReencryptWorkDependencies,
  { backupId, operationId }: { readonly backupId: BackupId; readonly operationId: OperationId },
): Promise<number | undefined> {
  const [record, operation] = await Promise.all([catalog.get(backupId), operations.get(operationId)]);
  const reserved =
    record?.adopted === undefined
      ? record?.reencrypting === operationId
      : record.state === 'running' && !record.cancelRequested;
  if (operation?.state !== 'running' || operation.cancelRequested || !reserved) {
    throw new BackupNotRunningError(`Operation ${operationId} is not running any more.`);
  }
  const until = Date.parse(record?.lockedUntil ?? '');
  return until > clock.now() ? until : undefined;
}

async function reencryptObject(
  deps: ReencryptWorkDependencies,
  { backupId, operationId }: { readonly backupId: BackupId; readonly operationId: OperationId },
  work: { readonly index: number; readonly object: StoredObject; readonly until: number | undefined },
): Promise<StoredObject> {
  const { to, verify, attempt } = deps;
  const { index, object, until } = work;
  const { kind, context } = object;
  const key = reencryptedKey(backupId, operationId, { index, attempt }, object.key);
  const source = decrypted(deps.from, object);
  const { object: message } = await storeObject(
    { ...to, compression: asItCame },
    { kind, key, context, source, compress: false },
  );
  const { escrow: _, ...same } = object;
  const { versionId, sha256, storedBytes, escrow } = message;
  const stored: StoredObject = {
    ...same,
    ...{ key, versionId, sha256, storedBytes },
    ...(escrow !== undefined && { escrow }),
  };
  if (until !== undefined) await lockObject(verify.bucket, stored, deps.lockMode, new Date(until));
  const { problem } = await verifyObject(verify, stored, 'full');
  if (problem !== undefined) {
    throw new IncompleteBackupError(`${key} is not what ${object.key} holds: ${problem.detail}`);
  }
  await deps.reencrypted.put(index, object, stored);
  return stored;
}

/** What a message holds, still compressed, after its stored bytes were found to be the ones that were written. */
async function* decrypted(place: VerifyPlace, object: StoredObject): AsyncGenerator<Buffer> {
  const intact = await checkBytes(place.bucket, object);
  if (isProblem(intact)) throw new DamagedObjectError(`${object.key}: ${intact.detail}`);
  let keyError: unknown;
  const open = place.opener ?? ((onFailure) => kmsKeyring(place.kms, place.keyArn, onFailure));
  const keyring = open((error) => {
    keyError = error;
  });
  const stage = decryptStage(keyring, object.context);
  const input = await intact.open();
  // The error comes out of the stage.
  pipeline(input, stage).catch(() => undefined);
  try {
    for await (const piece of stage) yield piece;
  } catch (error) {
    throw new DamagedObjectError(`${object.key}: ${whyUnreadable(error, keyError).detail}`);
  }
}
