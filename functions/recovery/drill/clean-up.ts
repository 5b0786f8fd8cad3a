import type { SFNClient } from '@aws-sdk/client-sfn';
import { stopExecution } from '../backup-requests.ts';
import type { OperationCatalog } from '../catalog/operation-catalog.ts';
import type { RestoreCatalog } from '../catalog/restore-catalog.ts';
import { type Clock, isoTime } from '../clock.ts';
import { operationIdSchema } from '../ids.ts';
import type { DrillCatalog } from './drill-catalog.ts';
import { type DrillId, restoreOf } from './ids.ts';

export interface CleanUpDependencies {
  readonly drills: DrillCatalog;
  readonly restores: RestoreCatalog;
  readonly operations: OperationCatalog;
  readonly stepFunctions: SFNClient;
  readonly clock: Clock;
}

/**
 * Ends what a drill has run and what still runs, and has its scratch databases removed from now on: by whoever looks next.
 * Doing it again changes nothing.
 *
 * @throws DependencyError
 */
export async function cleanUp(deps: CleanUpDependencies, id: DrillId): Promise<void> {
  const { drills, restores, operations, stepFunctions, clock } = deps;
  await drills.setStage(id, 'clean-up');
  const operation = await operations.get(operationIdSchema.parse(id));
  if (operation?.state === 'running' && operation.executionArn !== undefined) {
    await operations.requestCancel(operation.id);
    await stopExecution(stepFunctions, operation.executionArn);
  } else if (operation?.state === 'queued') {
    await operations.end(operation.id, 'canceled', { finishedAt: isoTime(clock.now()) });
  }
  const restore = await restores.get(restoreOf(id));
  if (restore?.drill !== true) return;
  if (restore.state === 'running' && restore.executionArn !== undefined) {
    await restores.requestCancel(restore.id);
    await stopExecution(stepFunctions, restore.executionArn);
  } else if (restore.state === 'queued') {
    // Nothing has begun: a plan that comes late finds that it has ended.
    await restores.end(restore, 'canceled', { finishedAt: isoTime(clock.now()) });
  }
  await restores.discardNeeded(restore.id, clock.now());
}
