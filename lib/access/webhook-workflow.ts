import { Duration } from 'aws-cdk-lib';
import type { BundledFunction } from '../constructs/function.ts';
import { invoke, type State } from '../constructs/states.ts';
import type { WorkflowProps } from '../constructs/workflow.ts';

/** Ten attempts take 76 hours; receivers can ask for twice that. */
const longestRun = Duration.days(8);

/**
 * Whatever is wrong with the function or with what it calls is given an hour and 42 minutes. An attempt that was sent and
 * could not be recorded is sent again by it, so it tries seldom.
 */
const retryForLong: State = {
  ErrorEquals: ['States.ALL'],
  IntervalSeconds: 30,
  BackoffRate: 4,
  MaxAttempts: 5,
  MaxDelaySeconds: 3_600,
};

/**
 * Delivers one event to one endpoint. The function decides how long to wait and whether to go on; its answer is the input
 * of the next attempt. An attempt that was recorded is not made again, so trying again is safe.
 */
export function webhookDefinition(deliver: BundledFunction): WorkflowProps['definition'] {
  return {
    Comment:
      'Delivers a webhook. The execution’s name is the delivery’s id; a replay’s has a number behind it.',
    TimeoutSeconds: longestRun.toSeconds(),
    StartAt: 'Attempt',
    States: {
      Attempt: invoke(
        deliver,
        {
          'webhookId.$': '$.webhookId',
          'deliveryId.$': '$.deliveryId',
          'run.$': '$.run',
          'attempt.$': '$.attempt',
          'traceparent.$': '$.traceparent',
        },
        { OutputPath: '$.Payload', Retry: [retryForLong], Next: 'Attempted' },
      ),
      Attempted: {
        Type: 'Choice',
        Choices: [{ Variable: '$.outcome', StringEquals: 'again', Next: 'WaitForNextAttempt' }],
        Default: 'Ended',
      },
      WaitForNextAttempt: { Type: 'Wait', SecondsPath: '$.waitSeconds', Next: 'Attempt' },
      Ended: { Type: 'Succeed' },
    },
  };
}
