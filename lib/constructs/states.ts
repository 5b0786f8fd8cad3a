import { Aws } from 'aws-cdk-lib';
import { NotReadyError } from '../../functions/recovery/errors.ts';
import { DependencyError } from '../../functions/shared/dependency.ts';
import type { BundledFunction } from './function.ts';

/** A state of the Amazon States Language. */
export type State = Readonly<Record<string, unknown>>;
export type States = Readonly<Record<string, State>>;

/** Where a state goes from here. */
export type Then = { Next: string } | { End: true };

/** Seconds that a task may take beyond its function's own timeout: Lambda's answer has to arrive. */
const answerSeconds = 30;

/** Errors that another try may mend: Lambda did not run the function or lost it, or a dependency was not ready. */
const trouble = [
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.TooManyRequestsException',
  'Lambda.Unknown',
  'Runtime.ExitError',
  'Sandbox.Timedout',
  'States.Timeout',
  DependencyError.name,
  NotReadyError.name,
];

/** Tries again three times after such errors: for functions that come to the same when run again. */
export const retryTrouble = retry(trouble, 3);

/** Tries again only where Lambda had no room to start the function: whatever it does, it has not begun. */
export const retryNotStarted = retry(['Lambda.TooManyRequestsException'], 5);

/** Tries again, waiting twice as long each time, starting with two seconds. */
export function retry(errors: readonly string[], attempts: number): State {
  return {
    ErrorEquals: errors,
    IntervalSeconds: 2,
    BackoffRate: 2,
    MaxAttempts: attempts,
    MaxDelaySeconds: 60,
    JitterStrategy: 'FULL',
  };
}

/** Tries trouble again, but never the errors that are the same at the next try. */
export const retryTroubleBut = (permanent: readonly ErrorClass[]): State[] => [
  neverRetry(permanent),
  retryTrouble,
];

/** Tries whatever failed again, but never the errors that are the same at the next try. */
export const retryAllBut = (permanent: readonly ErrorClass[]): State[] => [
  neverRetry(permanent),
  retry(['States.ALL'], 3),
];

/** A function's error goes by the name of its class. */
interface ErrorClass {
  readonly name: string;
}

/** Whatever follows in the list of retriers. */
const neverRetry = (errors: readonly ErrorClass[]): State => ({
  ErrorEquals: errors.map(({ name }) => name),
  MaxAttempts: 0,
});

/**
 * A task that invokes a function and waits for it.
 *
 * @param payload the function's event: a payload template, or the path of what is passed as it is.
 * @param rest retriers, catchers and what becomes of the result. Nothing is tried again unless it says so.
 */
export function invoke(fn: BundledFunction, payload: State | string, rest: State & Then): State {
  return {
    Type: 'Task',
    Resource: `arn:${Aws.PARTITION}:states:::lambda:invoke`,
    Parameters: {
      FunctionName: fn.function.functionArn,
      ...(typeof payload === 'string' ? { 'Payload.$': payload } : { Payload: payload }),
    },
    TimeoutSeconds: fn.timeout.toSeconds() + answerSeconds,
    ...rest,
  };
}

/** Catches every error, and keeps it at `$.error`. */
export function catchAll(next: string): State[] {
  return [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: next }];
}

/**
 * States that end with the error that was caught at `$.error`. An error of the service itself may come without a
 * cause, and a Fail state whose path leads nowhere would hide the error behind one of its own.
 */
export function failAsCaught(name: string): States {
  return {
    [name]: {
      Type: 'Choice',
      Choices: [{ Variable: '$.error.Cause', IsPresent: true, Next: `${name}WithCause` }],
      Default: `${name}WithoutCause`,
    },
    [`${name}WithCause`]: { Type: 'Fail', ErrorPath: '$.error.Error', CausePath: '$.error.Cause' },
    [`${name}WithoutCause`]: { Type: 'Fail', ErrorPath: '$.error.Error' },
  };
}

/** Runs states for each item of a JSON array in S3, as child executions; keeps nothing of their results. */
export function distributedMap(
  options: {
    label: string;
    /** JSONPaths of the array's bucket and key. */
    bucket: string;
    key: string;
    maxConcurrency: number;
    itemSelector: State;
    startAt: string;
    states: States;
  },
  rest: State & Then,
): State {
  return {
    Type: 'Map',
    Label: options.label,
    MaxConcurrency: options.maxConcurrency,
    ItemReader: {
      Resource: `arn:${Aws.PARTITION}:states:::s3:getObject`,
      ReaderConfig: { InputType: 'JSON' },
      Parameters: { 'Bucket.$': options.bucket, 'Key.$': options.key },
    },
    ItemSelector: options.itemSelector,
    ItemProcessor: {
      ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
      StartAt: options.startAt,
      States: options.states,
    },
    // The results of ten thousand items together would be more than a state may hold.
    ResultPath: null,
    ...rest,
  };
}
