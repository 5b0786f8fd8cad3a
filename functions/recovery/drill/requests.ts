import type { SFNClient } from '@aws-sdk/client-sfn';
import { startExecution, stopExecution } from '../backup-requests.ts';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import { type Clock, isoTime } from '../clock.ts';
import { failureOf } from '../errors.ts';
import { isChoice, requireRestorePoint } from './choose.ts';
import type { DrillCatalog } from './drill-catalog.ts';
import type { DrillLock } from './drill-lock.ts';
import type { DrillRecord, NewDrill } from './drill-record.ts';
import type { DrillInput } from './events.ts';

export interface DrillRequestDependencies {
  readonly drills: DrillCatalog;
  readonly lock: DrillLock;
  readonly backups: BackupCatalog;
  readonly stepFunctions: SFNClient;
  readonly stateMachineArn: string;
  readonly clock: Clock;
}

/**
 * Starts a drill. Asked again with the id of a drill that exists, it starts nothing new, and finishes what was cut short.
 *
 * @throws UnknownBackupError, BackupNotRunningError, UnknownShardError, DrillConflictError: nothing was started.
 * DependencyError: the drill has failed.
 */
export async function startDrill(
  deps: DrillRequestDependencies,
  request: Omit<NewDrill, 'createdAt' | 'trigger'>,
): Promise<void> {
  const { drills, clock } = deps;
  const { id, restorePoint, wantedShards, traceparent } = request;
  const known = await drills.get(id);
  if (known !== undefined && (known.state !== 'queued' || known.executionArn !== undefined)) return;
  if (!isChoice(restorePoint)) {
    await requireRestorePoint(deps.backups, restorePoint, wantedShards);
  }
  await deps.lock.acquire(id, clock.now());
  await drills.create({ ...request, trigger: 'api', createdAt: isoTime(clock.now()) });
  const input: DrillInput = { traceparent };
  try {
    const executionArn = await startExecution(deps.stepFunctions, deps.stateMachineArn, id, input);
    if (executionArn !== undefined) await drills.setExecution(id, executionArn);
  } catch (error) {
    await drills.end(id, 'failed', { finishedAt: isoTime(clock.now()), error: failureOf(error) });
    throw error;
  }
}

/**
 * Cancels a drill that is at work. The report of its end does the rest.
 * @returns whether it was at work, or had been canceled before.
 */
export async function cancelDrill(
  { drills, stepFunctions }: Pick<DrillRequestDependencies, 'drills' | 'stepFunctions'>,
  record: DrillRecord,
): Promise<boolean> {
  if (record.state === 'canceled') return true;
  if (!(await drills.requestCancel(record.id))) return false;
  if (record.executionArn !== undefined) await stopExecution(stepFunctions, record.executionArn);
  return true;
}
