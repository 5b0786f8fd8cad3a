import type { RouteHandlers } from '../../shared/http-handler.ts';
import { Problem } from '../../shared/problem.ts';
import { answerErrors, noSuchOperation, operationPath } from '../api-problems.ts';
import { idOfWork } from '../id-of-work.ts';
import { operationIdSchema } from '../ids.ts';
import { toOperation } from '../view.ts';
import type { adoptionRoutes } from './contract.ts';
import { type AdoptionStartDependencies, startAdoption } from './start-adoption.ts';

export interface AdoptionApiDependencies extends AdoptionStartDependencies {
  /** Where the copies are; absent: none are adopted. */
  readonly vault: string | undefined;
}

/** The route that takes over a backup of another deployment. */
export function adoptionHandlers(deps: AdoptionApiDependencies): RouteHandlers<typeof adoptionRoutes> {
  const { operations } = deps;
  return {
    adopt: ({ body: { backupId }, caller, workId, trace: { traceparent }, log }) =>
      answerErrors(async () => {
        if (deps.vault === undefined) {
          throw new Problem(
            'unprocessable-request',
            'The deployment names no copies to adopt from: the setting is backup.adopt.',
          );
        }
        const id = await idOfWork(operationIdSchema, workId, (known) => operations.get(known));
        await startAdoption(deps, { id, backupId, requestedBy: caller.keyId, traceparent });
        log.info('Adoption started', { operationId: id, backupId });
        const record = await operations.get(id);
        if (record === undefined) throw noSuchOperation();
        return {
          status: 202,
          headers: { location: operationPath(id) },
          body: toOperation(record, await operations.checked(id)),
        };
      }),
  };
}
