import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { Failures } from '../catalog/failures.ts';
import type { OperationCatalog, OperationRecord } from '../catalog/operation-catalog.ts';
import { type Clock, isoTime } from '../clock.ts';
import type { ExecutionEnd } from '../conclude-backup.ts';
import { BackupNotRunningError } from '../errors.ts';
import type { OperationId } from '../ids.ts';
import { stragglersUntil } from '../stragglers.ts';

export interface ConcludeVerificationDependencies {
  readonly operations: OperationCatalog;
  readonly catalog: BackupCatalog;
  readonly clock: Clock;
}

/**
 * Sums up a verification whose every part has been done, and notes it with its backup: unless it was opened with other keys
 * than the deployment's, which says something about those keys and nothing about the backup.
 *
 * @throws BackupNotRunningError when the backup was deleted meanwhile: what is missing then is no damage.
 */
export async function concludeVerification(
  { operations, catalog, clock }: ConcludeVerificationDependencies,
  operationId: OperationId,
): Promise<{ intact: boolean; findings: number; rehearsal: boolean }> {
  const operation = await operations.get(operationId);
  const backup = operation?.backupId && (await catalog.get(operation.backupId));
  if (!operation?.backupId || !backup || backup.state !== 'completed') {
    throw new BackupNotRunningError('The backup was deleted while it was verified.');
  }
  const { findings } = await operations.checked(operationId);
  const at = isoTime(clock.now());
  await operations.end(operationId, 'completed', { finishedAt: at });
  const ended = await operations.get(operationId);
  const rehearsal = operation.keys !== 'kms';
  if (ended !== undefined && !rehearsal) {
    const verification = { operationId, state: ended.state, at, findings: findings.length };
    await catalog.setVerification(operation.backupId, verification);
  }
  return { intact: findings.length === 0, findings: findings.length, rehearsal };
}

/** Ends an operation whose execution ended without completing it; with an adoption ends the backup that it was to make. */
export async function failOperation(
  { operations, catalog, clock, failures }: ConcludeVerificationDependencies & { failures: Failures },
  operation: OperationRecord,
  end: ExecutionEnd,
): Promise<'failed' | 'canceled' | 'nothing-to-do'> {
  const state = operation.cancelRequested || end.aborted ? 'canceled' : 'failed';
  const finishedAt = isoTime(clock.now());
  const error = await failures.explain(end.failure);
  const failed = state === 'failed' ? { error } : {};
  if (operation.kind === 'adopt' && operation.backupId !== undefined) {
    // The sweep removes what was stored of it.
    await catalog.sweepNeeded(operation.backupId, stragglersUntil(clock.now()));
    await catalog.end(operation.backupId, state, { finishedAt, ...failed });
  }
  const ended = await operations.end(operation.id, state, {
    finishedAt,
    ...failed,
  });
  if (!ended) return 'nothing-to-do';
  if (operation.backupId === undefined || !operation.kind.startsWith('verify')) return state;
  if (operation.keys !== 'kms') return state;
  const { findings } = await operations.checked(operation.id);
  const verification = {
    operationId: operation.id,
    state,
    at: finishedAt,
    findings: findings.length,
  } as const;
  await catalog.setVerification(operation.backupId, verification);
  return state;
}
