import type { SFNClient } from '@aws-sdk/client-sfn';
import { startExecution } from './backup-requests.ts';
import type { OperationCatalog } from './catalog/operation-catalog.ts';
import { type Clock, isoTime } from './clock.ts';
import { failureOf } from './errors.ts';
import type { OperationId } from './ids.ts';

/**
 * Starts the execution of an operation that has been noted.
 * @throws DependencyError: the operation has failed.
 */
export async function startOperation(
  deps: {
    readonly operations: OperationCatalog;
    readonly stepFunctions: SFNClient;
    readonly clock: Pick<Clock, 'now'>;
  },
  stateMachineArn: string,
  id: OperationId,
  input: unknown,
): Promise<void> {
  const { operations, stepFunctions, clock } = deps;
  try {
    const executionArn = await startExecution(stepFunctions, stateMachineArn, id, input);
    if (executionArn !== undefined) await operations.setExecution(id, executionArn);
  } catch (error) {
    await operations.end(id, 'failed', { finishedAt: isoTime(clock.now()), error: failureOf(error) });
    throw error;
  }
}
