import type { HttpInput, RouteHandlers } from '../../shared/http-handler.ts';
import { answerErrors, noSuchOperation, operationPath } from '../api-problems.ts';
import { idOfWork } from '../id-of-work.ts';
import { operationIdSchema } from '../ids.ts';
import { toOperation } from '../view.ts';
import { chooseSource } from './choose-source.ts';
import type { stageRoutes } from './contract.ts';
import type { StageWork } from './events.ts';
import { type StageStartDependencies, startStage } from './start-stage.ts';

type StageRoutes = typeof stageRoutes;
type StageInput = HttpInput<StageRoutes[keyof StageRoutes]>;

const defaultLevel = { zstd: 3, gzip: 6 } as const;

/** The routes of single stages. */
export function stageHandlers(deps: StageStartDependencies): RouteHandlers<StageRoutes> {
  const { operations } = deps;
  const start = (stage: StageWork, { body, caller, workId, trace, log }: StageInput) =>
    answerErrors(async () => {
      const source = chooseSource(body);
      const id = await idOfWork(operationIdSchema, workId, (known) => operations.get(known));
      const { traceparent } = trace;
      await startStage(deps, { id, source, stage, requestedBy: caller.keyId, traceparent });
      log.info('Stage started', { operationId: id, kind: stage.kind });
      const record = await operations.get(id);
      if (record === undefined) throw noSuchOperation();
      return {
        status: 202 as const,
        headers: { location: operationPath(id) },
        body: toOperation(record, await operations.checked(id)),
      };
    });
  return {
    encrypt: (input) => start({ kind: 'encrypt' }, input),
    decrypt: (input) => start({ kind: 'decrypt' }, input),
    compress: (input) => {
      const { format, level = defaultLevel[format] } = input.body;
      return start({ kind: 'compress', format, level }, input);
    },
  };
}
