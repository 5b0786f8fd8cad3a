import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { onDependency } from '../../shared/dependency.ts';
import { startExecution, stopExecution } from '../backup-requests.ts';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import { executionName, type RestoreCatalog } from '../catalog/restore-catalog.ts';
import type { NewRestore, RestoreRecord } from '../catalog/restore-record.ts';
import { type Clock, isoTime } from '../clock.ts';
import { BackupNotRunningError, failureOf, UnknownBackupError, UnknownShardError } from '../errors.ts';
import type { BackupId, RestoreId } from '../ids.ts';
import { refuseForImports } from '../import/refuse-for-imports.ts';
import type { Component } from '../model.ts';
import { chooseComponents } from './choose-components.ts';
import type { RestoreInput } from './events.ts';
import { refuseForTenants } from './refuse-for-tenants.ts';

export interface RestoreRequestDependencies {
  readonly restores: RestoreCatalog;
  readonly backups: BackupCatalog;
  readonly stepFunctions: SFNClient;
  readonly stateMachineArn: string;
  /** The workflow that restores to points in time. */
  readonly pointInTimeStateMachineArn: string;
  /** The workflow that restores imports. */
  readonly importStateMachineArn: string;
  readonly clock: Clock;
  /** Has the databases of a restore removed soon; should that be lost, the next scheduled run finds them. */
  readonly startDiscard: (id: RestoreId) => Promise<void>;
  /** The same for the clusters of a restore to a point in time. */
  readonly startDiscardOfClusters: (id: RestoreId) => Promise<void>;
}

export type RestoreRequest = Omit<NewRestore, 'shards' | 'createdAt' | 'backupId' | 'pointInTime'> & {
  readonly backupId: BackupId;
  readonly shards: NewRestore['shards'] | undefined;
};

/**
 * Starts a restore. Asked again with the id of a restore that exists, it starts nothing new, and finishes what was cut
 * short.
 *
 * @throws UnknownBackupError, BackupNotRunningError, UnknownShardError: nothing was started. DependencyError: the restore
 * has failed.
 */
export async function startRestore(deps: RestoreRequestDependencies, request: RestoreRequest): Promise<void> {
  const known = await deps.restores.get(request.id);
  if (known !== undefined && (known.state !== 'queued' || known.executionArn !== undefined)) return;
  let components: Component[] = ['database'];
  const backup = await deps.backups.get(request.backupId);
  if (backup === undefined) throw new UnknownBackupError('There is no backup of that id.');
  if (backup.state !== 'completed') {
    throw new BackupNotRunningError(`The backup is ${backup.state}: only a completed one can be restored.`);
  }
  refuseForTenants(backup, request);
  if (backup.type === 'import') refuseForImports(request);
  else components = chooseComponents(backup, request);
  const shards = components.includes('database') ? [...(request.shards ?? backup.shards)].sort() : [];
  const missing = shards.find((shard) => !backup.shards.includes(shard));
  if (missing !== undefined) {
    throw new UnknownShardError(`The backup has no shard "${missing}". It has: ${backup.shards.join(', ')}.`);
  }
  const createdAt = known?.createdAt ?? isoTime(deps.clock.now());
  await deps.restores.create({ ...request, components, shards, createdAt });
  await run(deps, request, 1, request.traceparent);
}

/** The same for a restore to a point in time. Whether that can be is found out by its workflow. @throws DependencyError */
export async function startPointInTimeRestore(
  deps: RestoreRequestDependencies,
  request: Omit<RestoreRequest, 'backupId'> & { readonly pointInTime: string },
): Promise<void> {
  const known = await deps.restores.get(request.id);
  if (known !== undefined && (known.state !== 'queued' || known.executionArn !== undefined)) return;
  const createdAt = known?.createdAt ?? isoTime(deps.clock.now());
  // No shards: all that there are when it begins.
  await deps.restores.create({ ...request, shards: [...(request.shards ?? [])].sort(), createdAt });
  await run(deps, request, 1, request.traceparent);
}

/**
 * Starts a failed restore again; it goes on where it failed.
 * @returns whether it was one that can be resumed.
 */
export async function resumeRestore(
  deps: RestoreRequestDependencies,
  record: RestoreRecord,
  traceparent: string,
): Promise<boolean> {
  if (!(await deps.restores.resume(record, isoTime(deps.clock.now()), traceparent))) return false;
  await deps.restores.discardDone(record.id);
  await run(deps, record, record.attempts + 1, traceparent);
  return true;
}

async function run(
  { restores, backups, stepFunctions, clock, ...machines }: RestoreRequestDependencies,
  { id: restoreId, backupId }: Pick<RestoreRecord, 'id' | 'backupId'>,
  attempt: number,
  traceparent: string,
): Promise<void> {
  const input: RestoreInput = { restoreId, traceparent };
  try {
    const name = executionName(restoreId, attempt);
    const type = backupId === undefined ? 'point-in-time' : (await backups.get(backupId))?.type;
    const arn =
      type === 'point-in-time'
        ? machines.pointInTimeStateMachineArn
        : type === 'import'
          ? machines.importStateMachineArn
          : machines.stateMachineArn;
    const executionArn = await startExecution(stepFunctions, arn, name, input);
    if (executionArn !== undefined) await restores.setExecution(restoreId, executionArn);
  } catch (error) {
    const ended = { finishedAt: isoTime(clock.now()), error: failureOf(error) };
    await restores.end({ id: restoreId, attempts: attempt }, 'failed', ended);
    throw error;
  }
}

/**
 * Cancels a restore that is at work, or gives up a failed one that could be resumed. What it has restored is removed.
 * @returns whether it was one of these, or had been canceled before.
 */
export async function cancelRestore(
  { restores, stepFunctions, clock, startDiscard, startDiscardOfClusters }: RestoreRequestDependencies,
  record: RestoreRecord,
): Promise<boolean> {
  if (record.state === 'canceled') return true;
  if (record.state === 'failed') {
    if (!(await restores.abandon(record.id))) return false;
    await restores.discardNeeded(record.id, clock.now());
    const start = record.pointInTime === undefined ? startDiscard : startDiscardOfClusters;
    await start(record.id).catch(() => undefined);
    return true;
  }
  if (!(await restores.requestCancel(record.id))) return false;
  if (record.executionArn !== undefined) await stopExecution(stepFunctions, record.executionArn);
  return true;
}

/** Invokes the function that removes the databases of one restore, asynchronously. */
export function discardStarter(
  lambda: LambdaClient,
  functionArn: string,
  traceparent: string,
): (restoreId: RestoreId) => Promise<void> {
  return async (restoreId) => {
    await onDependency('Lambda', 'Invoke restore-database', () =>
      lambda.send(
        new InvokeCommand({
          FunctionName: functionArn,
          InvocationType: 'Event',
          Payload: JSON.stringify({ phase: 'discard', restoreId, traceparent }),
        }),
      ),
    );
  };
}
