import { Duration } from 'aws-cdk-lib';
import { DependencyError } from '../../functions/shared/dependency.ts';
import { catchAll, failAsCaught, invoke, retry } from '../constructs/states.ts';
import type { WorkflowProps } from '../constructs/workflow.ts';
import { concludeState } from './conclude-state.ts';
import type { RecoveryFunctions } from './functions.ts';

/** One stage over one object: a function, and somebody who notes how it ended when that could not. */
export function stageDefinition(functions: RecoveryFunctions): WorkflowProps['definition'] {
  return {
    Comment: 'Runs a single stage over a stored object. The execution’s name is the operation’s id.',
    TimeoutSeconds: Duration.hours(1).toSeconds(),
    StartAt: 'StageObject',
    States: {
      StageObject: invoke(
        functions['stage-object'],
        {
          'operationId.$': '$$.Execution.Name',
          'executionArn.$': '$$.Execution.Id',
          'input.$': '$$.Execution.Input',
        },
        {
          OutputPath: '$.Payload',
          Retry: [
            retry(['Lambda.TooManyRequestsException', 'Lambda.ServiceException', DependencyError.name], 2),
          ],
          Catch: catchAll('Conclude'),
          End: true,
        },
      ),
      Conclude: concludeState(functions),
      ...failAsCaught('Failed'),
    },
  };
}
