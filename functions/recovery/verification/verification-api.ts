import type { HttpHandlers, HttpInput } from '../../shared/http-handler.ts';
import { Problem } from '../../shared/problem.ts';
import { answerErrors, noSuchOperation, operationPath } from '../api-problems.ts';
import { stopExecution } from '../backup-requests.ts';
import type { OperationRecord } from '../catalog/operation-catalog.ts';
import type { recoveryContract } from '../contract.ts';
import { idOfWork } from '../id-of-work.ts';
import { type OperationId, operationIdSchema } from '../ids.ts';
import { toOperation } from '../view.ts';
import { startVerification, type VerificationStartDependencies } from './start-verification.ts';

type VerificationHandlers = Pick<
  HttpHandlers<typeof recoveryContract>,
  'verify' | 'verifyHash' | 'getOperation' | 'cancelOperation'
>;
type Kind = OperationRecord['kind'];

type StartInput = HttpInput<(typeof recoveryContract.routes)['verify' | 'verifyHash']>;

/** The routes of verifications. */
export function verificationHandlers(deps: VerificationStartDependencies): VerificationHandlers {
  const { operations } = deps;

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
  const start = async (kind: Kind, { body, caller, workId, trace: { traceparent } }: StartInput) => {
    const id = await idOfWork(operationIdSchema, workId, (known) => operations.get(known));
    const { backupId } = body;
    await startVerification(deps, { id, kind, backupId, requestedBy: caller.keyId, traceparent });
    return accepted(id);
  };

  return {
    verify: (input) => answerErrors(() => start('verify', input)),

    verifyHash: (input) => answerErrors(() => start('verify-hash', input)),

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
