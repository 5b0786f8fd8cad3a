import type { SFNClient } from '@aws-sdk/client-sfn';
import type { HttpHandlers } from '../../shared/http-handler.ts';
import { Problem } from '../../shared/problem.ts';
import { answerErrors, noSuchBackup, noSuchOperation, operationPath } from '../api-problems.ts';
import { startExecution, stopExecution } from '../backup-requests.ts';
import type { BackupCatalog } from '../catalog/backup-catalog.ts';
import type { OperationCatalog, OperationRecord } from '../catalog/operation-catalog.ts';
import { type Clock, isoTime } from '../clock.ts';
import type { recoveryContract } from '../contract.ts';
import { failureOf } from '../errors.ts';
import { type BackupId, type OperationId, operationIdSchema } from '../ids.ts';
import { toOperation } from '../view.ts';

export interface VerificationApiDependencies {
  readonly catalog: BackupCatalog;
  readonly operations: OperationCatalog;
  readonly stepFunctions: SFNClient;
  readonly stateMachineArn: string;
  readonly clock: Clock;
  readonly newId: () => string;
}

type VerificationHandlers = Pick<
  HttpHandlers<typeof recoveryContract>,
  'verify' | 'verifyHash' | 'getOperation' | 'cancelOperation'
>;
type Kind = OperationRecord['kind'];

interface Request {
  readonly backupId: BackupId;
  readonly callerId: string;
  readonly traceparent: string;
}

/** The routes of verifications. */
export function verificationHandlers(deps: VerificationApiDependencies): VerificationHandlers {
  const { operations, clock } = deps;

  const find = async (id: OperationId): Promise<OperationRecord> => {
    const record = await operations.get(id);
    if (record === undefined) throw noSuchOperation();
    return record;
  };
  const accepted = async (id: OperationId) => ({
    status: 202 as const,
    headers: { location: operationPath(id) },
    body: toOperation(await find(id), await operations.checked(id)),
  });
  const start = async (kind: Kind, { backupId, callerId, traceparent }: Request) => {
    const backup = await deps.catalog.get(backupId);
    if (backup === undefined) throw noSuchBackup();
    if (backup.state !== 'completed') {
      throw new Problem('conflict', `The backup is ${backup.state}: only a completed one can be verified.`);
    }
    const id = operationIdSchema.parse(deps.newId());
    const createdAt = isoTime(clock.now());
    const created = await operations.create({
      id,
      kind,
      backupId,
      traceparent,
      requestedBy: callerId,
      createdAt,
    });
    if (created) {
      const input = {
        traceparent,
        backupId,
        mode: kind === 'verify' ? 'full' : 'hash',
        requestedBy: callerId,
      };
      try {
        const executionArn = await startExecution(deps.stepFunctions, deps.stateMachineArn, id, input);
        if (executionArn !== undefined) await operations.setExecution(id, executionArn);
      } catch (error) {
        await operations.end(id, 'failed', { finishedAt: isoTime(clock.now()), error: failureOf(error) });
        throw error;
      }
    }
    return accepted(id);
  };

  return {
    verify: ({ body, caller, trace }) =>
      answerErrors(() =>
        start('verify', {
          backupId: body.backupId,
          callerId: caller.keyId,
          traceparent: trace.traceparent,
        }),
      ),

    verifyHash: ({ body, caller, trace }) =>
      answerErrors(() =>
        start('verify-hash', {
          backupId: body.backupId,
          callerId: caller.keyId,
          traceparent: trace.traceparent,
        }),
      ),

    getOperation: ({ params }) =>
      answerErrors(async () => {
        const record = await find(params.operationId);
        return { status: 200, body: toOperation(record, await operations.checked(record.id)) };
      }),

    cancelOperation: ({ params }) =>
      answerErrors(async () => {
        const record = await find(params.operationId);
        if (record.state !== 'canceled') {
          if (!(await operations.requestCancel(record.id))) {
            throw new Problem(
              'conflict',
              `The operation is ${record.state}: it cannot be canceled any more.`,
            );
          }
          if (record.executionArn !== undefined) {
            await stopExecution(deps.stepFunctions, record.executionArn);
          }
        }
        return accepted(record.id);
      }),
  };
}
