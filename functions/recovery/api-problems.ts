import { DependencyError } from '../shared/dependency.ts';
import { Problem } from '../shared/problem.ts';
import {
  BackupConflictError,
  BackupNotRunningError,
  DrillConflictError,
  ReencryptionConflictError,
  UnknownBackupError,
  UnknownShardError,
} from './errors.ts';
import { BackupLockedError, BackupReferredToError } from './expiry/delete-backup.ts';

/** Where a backup is followed. */
export const backupPath = (id: string): string => `/api/disaster-recovery/backups/${id}`;
/** Where a verification is followed. */
export const operationPath = (id: string): string => `/api/disaster-recovery/encryption/operations/${id}`;

/** Where a drill is followed. */
export const drillPath = (id: string): string => `/api/disaster-recovery/test/${id}`;
/** Where a restore is followed. */
export const restorePath = (id: string): string => `/api/disaster-recovery/restore/${id}`;

export const noSuchRestore = (): Problem => new Problem('not-found', 'There is no restore of that id.');
export const noSuchBackup = (): Problem => new Problem('not-found', 'There is no backup of that id.');
export const noSuchOperation = (): Problem => new Problem('not-found', 'There is no operation of that id.');

/** Runs a handler and turns this capability's errors into answers; all others are the shared stack's. */
export async function answerErrors<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw toProblem(error);
  }
}

function toProblem(error: unknown): unknown {
  if (error instanceof BackupConflictError) {
    return new Problem('conflict', error.message, {
      headers: { location: backupPath(error.runningBackupId) },
    });
  }
  if (error instanceof DrillConflictError) {
    return new Problem('conflict', error.message, { headers: { location: drillPath(error.runningDrillId) } });
  }
  if (error instanceof ReencryptionConflictError) {
    return new Problem('conflict', error.message, {
      headers: { location: operationPath(error.operationId) },
    });
  }
  if (error instanceof BackupLockedError) {
    return new Problem('conflict', error.message, { extensions: { lockedUntil: error.lockedUntil } });
  }
  if (error instanceof BackupReferredToError) {
    return new Problem('conflict', error.message, { extensions: { dependents: error.dependents } });
  }
  if (error instanceof UnknownBackupError) return new Problem('not-found', error.message);
  if (error instanceof BackupNotRunningError) return new Problem('conflict', error.message);
  if (error instanceof UnknownShardError) {
    return new Problem('unprocessable-request', error.message, {
      errors: [{ field: 'body.shards', message: error.message }],
    });
  }
  if (error instanceof DependencyError) {
    return new Problem('not-available', 'A part of AWS that this needs did not answer. Try again later.', {
      headers: { 'retry-after': '5' },
      cause: error,
    });
  }
  return error;
}
