import type { RouteHandlers } from '../../shared/http-handler.ts';
import { Problem } from '../../shared/problem.ts';
import { answerErrors } from '../api-problems.ts';
import {
  type AutomationDependencies,
  readAutomation,
  removeAutomation,
  setAutomation,
} from './automation.ts';
import type { automationRoutes } from './contract.ts';
import { AutomationChangedError, InvalidScheduleError } from './errors.ts';

const none = (): Problem => new Problem('not-found', 'No backups are taken by themselves.');

/** The routes of schedules and retention. */
export function automationHandlers(deps: AutomationDependencies): RouteHandlers<typeof automationRoutes> {
  return {
    setAutomation: ({ body, caller, log }) =>
      answer(async () => {
        const automation = await setAutomation(deps, body, caller.keyId);
        const { full, incremental, retentionDays, enabled } = automation;
        log.info('Automation set', { full, incremental, retentionDays, enabled });
        return { status: 200, body: automation };
      }),

    getAutomation: () =>
      answer(async () => {
        const automation = await readAutomation(deps);
        if (automation === undefined) throw none();
        return { status: 200, body: automation };
      }),

    removeAutomation: ({ log }) =>
      answer(async () => {
        if (!(await removeAutomation(deps))) throw none();
        log.info('Automation removed');
        return { status: 204 };
      }),
  };
}

const answer = <T>(run: () => Promise<T>): Promise<T> =>
  answerErrors(async () => {
    try {
      return await run();
    } catch (error) {
      if (error instanceof AutomationChangedError) throw new Problem('conflict', error.message);
      if (!(error instanceof InvalidScheduleError)) throw error;
      throw new Problem('unprocessable-request', error.message, {
        errors: [{ field: `body.${error.field}`, message: error.message }],
      });
    }
  });
