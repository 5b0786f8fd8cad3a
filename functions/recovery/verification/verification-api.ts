import type { HttpHandlers, HttpInput } from '../../shared/http-handler.ts';
import { Problem } from '../../shared/problem.ts';
import { answerErrors, noSuchOperation, operationPath } from '../api-problems.ts';
import { stopExecution } from '../backup-requests.ts';
import type { OperationRecord } from '../catalog/operation-catalog.ts';
import type { recoveryContract } from '../contract.ts';
import { idOfWork } from '../id-of-work.ts';
import { backupIdSchema, type OperationId, operationIdSchema } from '../ids.ts';
import { requireKeys } from '../keys/require-keys.ts';
import { chooseSource } from '../single-stages/choose-source.ts';
import { type StageStartDependencies, startStage } from '../single-stages/start-stage.ts';
import { toOperation } from '../view.ts';
import { startVerification, type VerificationStartDependencies } from './start-verification.ts';

type VerificationHandlers = Pick<
  HttpHandlers<typeof recoveryContract>,
  'verify' | 'verifyHash' | 'getOperation' | 'cancelOperation'
>;
type Kind = 'verify' | 'verify-hash';

type StartInput = HttpInput<(typeof recoveryContract.routes)['verify']>;

/** The routes of verifications. */
export function verificationHandlers(
  deps: VerificationStartDependencies & StageStartDependencies,
): VerificationHandlers {
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
    const { backupId, keys } = body;
    requireKeys(deps.availableKeys, keys);
    await startVerification(deps, { id, kind, backupId, keys, requestedBy: caller.keyId, traceparent });
    return accepted(id);
  };

  return {
    verify: (input) => answerErrors(() => start('verify', input)),

    verifyHash: (input) =>
      answerErrors(async () => {
        const { body, caller, workId, trace } = input;
        const { backupId, key } = body;
        if (backupId !== undefined && key === undefined) {
          return start('verify-hash', {
            ...input,
            body: { backupId: backupIdSchema.parse(backupId), keys: 'kms' },
          });
        }
        const source = chooseSource(body);
        const id = await idOfWork(operationIdSchema, workId, (known) => operations.get(known));
        const { traceparent } = trace;
        const stage = { kind: 'verify-hash' as const };
        await startStage(deps, { id, source, stage, requestedBy: caller.keyId, traceparent });
        return accepted(id);
      }),

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
