import type { HttpInput, RouteHandlers } from '../../shared/http-handler.ts';
import { answerErrors, noSuchOperation, operationPath } from '../api-problems.ts';
import { idOfWork } from '../id-of-work.ts';
import { backupIdSchema, type OperationId, operationIdSchema } from '../ids.ts';
import type { KeySource } from '../keys/key-source.ts';
import { requireKeys } from '../keys/require-keys.ts';
import { type ReencryptionStartDependencies, startReencryption } from '../reencryption/start-reencryption.ts';
import { toOperation } from '../view.ts';
import { chooseSource, refused } from './choose-source.ts';
import type { stageRoutes } from './contract.ts';
import type { StageWork } from './events.ts';
import { type StageStartDependencies, startStage } from './start-stage.ts';

type StageRoutes = typeof stageRoutes;
type StageInput = HttpInput<StageRoutes[keyof StageRoutes]>;

export interface StageApiDependencies extends StageStartDependencies, ReencryptionStartDependencies {
  /** The keys that the deployment can open backups with; default: any may be asked for. */
  readonly availableKeys?: readonly KeySource[] | undefined;
}

const defaultLevel = { zstd: 3, gzip: 6 } as const;

/** The routes of single stages. */
export function stageHandlers(deps: StageApiDependencies): RouteHandlers<StageRoutes> {
  const { operations } = deps;
  const idOf = (workId: string) => idOfWork(operationIdSchema, workId, (known) => operations.get(known));
  const accepted = async (id: OperationId) => {
    const record = await operations.get(id);
    if (record === undefined) throw noSuchOperation();
    return {
      status: 202 as const,
      headers: { location: operationPath(id) },
      body: toOperation(record, await operations.checked(id)),
    };
  };
  const start = (stage: StageWork, { body, caller, workId, trace, log }: StageInput) =>
    answerErrors(async () => {
      const source = chooseSource(body);
      const id = await idOf(workId);
      const { traceparent } = trace;
      await startStage(deps, { id, source, stage, requestedBy: caller.keyId, traceparent });
      log.info('Stage started', { operationId: id, kind: stage.kind });
      return accepted(id);
    });
  return {
    encrypt: (input) => {
      const { backupId, object, key, versionId, keys } = input.body;
      if (backupId === undefined || object !== undefined || key !== undefined || versionId !== undefined) {
        if (keys === undefined) return start({ kind: 'encrypt' }, input);
        return answerErrors(async () => {
          throw refused('keys', 'goes with `backupId` alone');
        });
      }
      return answerErrors(async () => {
        const { caller, workId, trace, log } = input;
        const asked = keys ?? 'kms';
        requireKeys(deps.availableKeys, asked);
        const id = await idOf(workId);
        await startReencryption(deps, {
          ...{ id, backupId: backupIdSchema.parse(backupId), keys: asked },
          ...{ requestedBy: caller.keyId, traceparent: trace.traceparent },
        });
        log.info('Re-encryption started', { operationId: id, backupId });
        return accepted(id);
      });
    },
    decrypt: (input) => start({ kind: 'decrypt' }, input),
    compress: (input) => {
      const { format, level = defaultLevel[format] } = input.body;
      return start({ kind: 'compress', format, level }, input);
    },
  };
}
