import { Duration } from 'aws-cdk-lib';
import type { BundledFunction } from '../constructs/function.ts';
import { invoke, type State } from '../constructs/states.ts';
import type { WorkflowProps } from '../constructs/workflow.ts';

/** Every turn comes to the same when it is made again; what keeps failing for half an hour is not going to be well by itself. */
const retryForLong: State = {
  ErrorEquals: ['States.ALL'],
  IntervalSeconds: 15,
  BackoffRate: 4,
  MaxAttempts: 5,
  MaxDelaySeconds: 900,
};

/**
 * Follows work that is done in turns: the function does what can be done now, and says how long to wait. The execution's name is the
 * work's id.
 *
 * @param what the id's name in the event of the function, and a sentence about the workflow.
 * @param longest how long it may take; a turn writes eight events into a history that has room for 25 000.
 */
export function turnsDefinition(
  fn: BundledFunction,
  what: { readonly id: string; readonly comment: string },
  longest: Duration,
): WorkflowProps['definition'] {
  return {
    Comment: what.comment,
    TimeoutSeconds: longest.toSeconds(),
    StartAt: 'Turn',
    States: {
      Turn: invoke(
        fn,
        { [`${what.id}.$`]: '$$.Execution.Name', 'input.$': '$$.Execution.Input' },
        {
          ResultSelector: { 'outcome.$': '$.Payload.outcome', 'waitSeconds.$': '$.Payload.waitSeconds' },
          ResultPath: '$.turn',
          Retry: [retryForLong],
          Next: 'Ended',
        },
      ),
      Ended: {
        Type: 'Choice',
        Choices: [{ Variable: '$.turn.outcome', StringEquals: 'again', Next: 'WaitForNextTurn' }],
        Default: 'Done',
      },
      WaitForNextTurn: { Type: 'Wait', SecondsPath: '$.turn.waitSeconds', Next: 'Turn' },
      Done: { Type: 'Succeed' },
    },
  };
}

/** Thousands of paths that wait behind others for a quota, at a turn every twenty seconds. */
export const longestPurge = Duration.hours(12);
