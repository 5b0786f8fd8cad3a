import type { SFNClient } from '@aws-sdk/client-sfn';
import { Problem } from '../../shared/problem.ts';
import { noSuchBackup } from '../api-problems.ts';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { OperationCatalog } from '../catalog/operation-catalog.ts';
import { type Clock, isoTime } from '../clock.ts';
import type { OperationId } from '../ids.ts';
import { startOperation } from '../start-operation.ts';
import type { Source, StageInput, StageWork } from './events.ts';

export interface StageStartDependencies {
  readonly catalog: BackupCatalog;
  readonly operations: OperationCatalog;
  readonly stepFunctions: SFNClient;
  readonly stageStateMachineArn: string;
  readonly clock: Clock;
}

/**
 * Starts a single stage. Asked again with the id of one that exists, it starts nothing new, and finishes what was cut
 * short.
 *
 * @throws Problem 404, 409: nothing was started. DependencyError: the operation has failed.
 */
export async function startStage(
  { catalog, operations, stepFunctions, stageStateMachineArn, clock }: StageStartDependencies,
  asked: {
    readonly id: OperationId;
    readonly source: Source;
    readonly stage: StageWork;
    readonly requestedBy: string;
    readonly traceparent: string;
  },
): Promise<void> {
  const { id, source, stage, requestedBy, traceparent } = asked;
  const known = await operations.get(id);
  if (known !== undefined && (known.state !== 'queued' || known.executionArn !== undefined)) return;
  if ('backupId' in source) {
    const backup = await catalog.get(source.backupId);
    if (backup === undefined) throw noSuchBackup();
    if (backup.state !== 'completed') {
      throw new Problem('conflict', `The backup is ${backup.state}: its objects may not be there.`);
    }
  }
  await operations.create({
    id,
    kind: stage.kind,
    ...('backupId' in source ? { backupId: source.backupId, object: source.object } : { object: source.key }),
    traceparent,
    requestedBy,
    createdAt: isoTime(clock.now()),
  });
  const input: StageInput = { traceparent, source, stage };
  await startOperation({ operations, stepFunctions, clock }, stageStateMachineArn, id, input);
}
