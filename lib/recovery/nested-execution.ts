import { Aws } from 'aws-cdk-lib';
import { catchAll, retry, type State, type States } from '../constructs/states.ts';

/** An execution that a workflow starts and waits for. */
export interface NestedExecution {
  /** What the states are called after, for example `Restore`. */
  name: string;
  stateMachineArn: string;
  /** JSONPath of an object with `name`, `executionArn` and `input`. */
  path: string;
  /** The state that follows when it has succeeded. */
  next: string;
  /** The state that follows on any error, which is at `$.error` then. */
  onError: string;
  /** What the error is called when it has not succeeded. */
  error: string;
}

/**
 * States that start an execution and wait for its end; the first is `Start<name>`. Starting it twice is the same as once. It
 * is asked for after one second, then after two, and so on: a short one is not waited for longer than it takes, and one that
 * takes a week does not fill the history.
 */
export function nestedExecution(nested: NestedExecution): States {
  const { name, path, next, onError } = nested;
  const sdk = (call: string) => `arn:${Aws.PARTITION}:states:::aws-sdk:sfn:${call}`;
  const busy = retry(['Sfn.SdkClientException', 'Sfn.ServiceQuotaExceededException'], 3);
  const [wait, look, ended] = [`WaitFor${name}`, `LookAt${name}`, `${name}Ended`];
  const waitAt = `$.wait${name}`;
  const task = (rest: State): State => ({ Type: 'Task', TimeoutSeconds: 60, Retry: [busy], ...rest });
  return {
    [`Start${name}`]: task({
      Resource: sdk('startExecution'),
      Parameters: {
        StateMachineArn: nested.stateMachineArn,
        'Name.$': `${path}.name`,
        'Input.$': `States.JsonToString(${path}.input)`,
      },
      ResultPath: null,
      Catch: [
        {
          ErrorEquals: ['Sfn.ExecutionAlreadyExistsException'],
          ResultPath: null,
          Next: `${name}Started`,
        },
        ...catchAll(onError),
      ],
      Next: `${name}Started`,
    }),
    [`${name}Started`]: { Type: 'Pass', Result: { seconds: 1 }, ResultPath: waitAt, Next: wait },
    [wait]: { Type: 'Wait', SecondsPath: `${waitAt}.seconds`, Next: look },
    [look]: task({
      Resource: sdk('describeExecution'),
      Parameters: { 'ExecutionArn.$': `${path}.executionArn` },
      ResultSelector: { 'status.$': '$.Status' },
      ResultPath: `$.ended${name}`,
      Catch: catchAll(onError),
      Next: ended,
    }),
    [ended]: {
      Type: 'Choice',
      Choices: [
        { Variable: `$.ended${name}.status`, StringEquals: 'RUNNING', Next: `${name}Runs` },
        { Variable: `$.ended${name}.status`, StringEquals: 'SUCCEEDED', Next: next },
      ],
      Default: `${name}Failed`,
    },
    [`${name}Runs`]: {
      Type: 'Pass',
      Parameters: { 'seconds.$': `States.MathAdd(${waitAt}.seconds, 1)` },
      ResultPath: waitAt,
      Next: wait,
    },
    [`${name}Failed`]: {
      Type: 'Pass',
      Parameters: {
        Error: nested.error,
        'Cause.$': `States.Format('The execution {} did not complete. Its record says why.', ${path}.name)`,
      },
      ResultPath: '$.error',
      Next: onError,
    },
  };
}
