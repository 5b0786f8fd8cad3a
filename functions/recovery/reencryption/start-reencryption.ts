import type { SFNClient } from '@aws-sdk/client-sfn';
import { Problem } from '../../shared/problem.ts';
import { noSuchBackup } from '../api-problems.ts';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import { type BackupRecord, notReencrypting } from '../catalog/backup-record.ts';
import type { OperationCatalog, OperationRecord } from '../catalog/operation-catalog.ts';
import { type Clock, isoTime } from '../clock.ts';
import { ReencryptionConflictError } from '../errors.ts';
import { BackupReferredToError } from '../expiry/delete-backup.ts';
import type { BackupId } from '../ids.ts';
import type { KeySource } from '../keys/key-source.ts';
import { startOperation } from '../start-operation.ts';
import { stragglersUntil } from '../stragglers.ts';
import type { ReencryptionInput } from './events.ts';

export interface ReencryptionStartDependencies {
  readonly catalog: BackupCatalog;
  readonly operations: OperationCatalog;
  readonly stepFunctions: SFNClient;
  readonly reencryptionStateMachineArn: string;
  readonly clock: Clock;
}

export interface ReencryptionRequest extends Pick<OperationRecord, 'id' | 'traceparent'> {
  readonly backupId: BackupId;
  readonly keys: KeySource;
  readonly requestedBy: string;
}

/**
 * Starts the re-encryption of a backup. Asked again with the id of one that exists, it starts nothing new, and finishes what
 * was cut short. The backup is reserved for it first, and noted for the sweep before that: wherever this ends, the reservation
 * does too.
 *
 * @throws Problem 404, 409, ReencryptionConflictError, BackupReferredToError: nothing was started. DependencyError: the
 * operation has failed.
 */
export async function startReencryption(
  deps: ReencryptionStartDependencies,
  request: ReencryptionRequest,
): Promise<void> {
  const { catalog, operations, clock } = deps;
  const { id, backupId, keys, requestedBy, traceparent } = request;
  const known = await operations.get(id);
  if (known !== undefined && (known.state !== 'queued' || known.executionArn !== undefined)) return;
  const backup = await catalog.get(backupId);
  if (backup === undefined) throw noSuchBackup();
  requireAlone(backup, id);
  await catalog.sweepNeeded(backupId, stragglersUntil(clock.now()));
  if (!(await catalog.beginReencryption(backupId, id))) {
    const present = await catalog.get(backupId);
    if (present !== undefined) requireAlone(present, id);
    throw new Problem('conflict', 'The backup has changed at this moment. Send the request again.');
  }
  const createdAt = isoTime(clock.now());
  await operations.create({ id, kind: 'encrypt', backupId, keys, traceparent, requestedBy, createdAt });
  const input: ReencryptionInput = { traceparent, backupId, keys };
  await startOperation(deps, deps.reencryptionStateMachineArn, id, input);
}

/** Objects that backups share have one key for all of them: they are not replaced under the others. */
function requireAlone(
  { state, dependents, references, reencrypting = notReencrypting }: BackupRecord,
  operation: string,
): void {
  if (state !== 'completed') {
    throw new Problem('conflict', `The backup is ${state}: only a completed one can be re-encrypted.`);
  }
  if (reencrypting !== notReencrypting && reencrypting !== operation) {
    throw new ReencryptionConflictError(reencrypting);
  }
  if (dependents.length > 0) throw new BackupReferredToError(dependents);
  if (references.length === 0) return;
  throw new Problem(
    'conflict',
    `The backup refers to objects of others: ${references.join(', ')}. Take a full backup, which is stored under the present keys.`,
    { extensions: { references } },
  );
}
