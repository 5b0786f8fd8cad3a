import type { SFNClient } from '@aws-sdk/client-sfn';
import { Problem } from '../../shared/problem.ts';
import { noSuchBackup } from '../api-problems.ts';
import { startExecution } from '../backup-requests.ts';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { OperationCatalog, OperationRecord } from '../catalog/operation-catalog.ts';
import { type Clock, isoTime } from '../clock.ts';
import { failureOf } from '../errors.ts';
import type { BackupId } from '../ids.ts';
import type { KeySource } from '../keys/key-source.ts';

export interface VerificationStartDependencies {
  readonly catalog: BackupCatalog;
  readonly operations: OperationCatalog;
  readonly stepFunctions: SFNClient;
  readonly stateMachineArn: string;
  /** The keys that the deployment can open backups with; default: any may be asked for. */
  readonly availableKeys?: readonly KeySource[];
  readonly clock: Clock;
}

export interface VerificationRequest extends Pick<OperationRecord, 'id' | 'traceparent'> {
  readonly kind: 'verify' | 'verify-hash';
  readonly backupId: BackupId;
  readonly keys: KeySource;
  readonly requestedBy: string;
}

/**
 * Starts a verification. Asked again with the id of one that exists, it starts nothing new, and finishes what was cut
 * short.
 *
 * @throws Problem 404, 409: nothing was started. DependencyError: the verification has failed.
 */
export async function startVerification(
  deps: VerificationStartDependencies,
  request: VerificationRequest,
): Promise<void> {
  const { operations, clock } = deps;
  const { id, kind, backupId, keys, requestedBy, traceparent } = request;
  const known = await operations.get(id);
  if (known !== undefined && (known.state !== 'queued' || known.executionArn !== undefined)) return;
  const backup = await deps.catalog.get(backupId);
  if (backup === undefined) throw noSuchBackup();
  if (backup.state !== 'completed') {
    throw new Problem('conflict', `The backup is ${backup.state}: only a completed one can be verified.`);
  }
  await operations.create({ ...request, createdAt: isoTime(clock.now()) });
  const input = { traceparent, backupId, mode: kind === 'verify' ? 'full' : 'hash', keys, requestedBy };
  try {
    const executionArn = await startExecution(deps.stepFunctions, deps.stateMachineArn, id, input);
    if (executionArn !== undefined) await operations.setExecution(id, executionArn);
  } catch (error) {
    await operations.end(id, 'failed', { finishedAt: isoTime(clock.now()), error: failureOf(error) });
    throw error;
  }
}
