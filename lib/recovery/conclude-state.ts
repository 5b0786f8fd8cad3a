import { invoke, retry, type State } from '../constructs/states.ts';
import type { RecoveryFunctions } from './functions.ts';

/** Records how it ended, from the error at `$.error`. Where this fails, the rule on ended executions does it. */
export function concludeState(functions: RecoveryFunctions): State {
  return invoke(
    functions.conclude,
    {
      'executionName.$': '$$.Execution.Name',
      'input.$': '$$.Execution.Input',
      'error.$': '$.error',
    },
    {
      ResultPath: null,
      Retry: [retry(['States.ALL'], 5)],
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: null, Next: 'Failed' }],
      Next: 'Failed',
    },
  );
}
