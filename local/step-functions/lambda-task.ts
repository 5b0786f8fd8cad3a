import { AwsError, type Principal } from '../aws/operation.ts';
import { runtimeError, StatesError } from './errors.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import type { TaskTargets } from './tasks.ts';

export interface LambdaCall {
  principal: Principal;
  /** With the qualifier, where there is one. */
  functionArn: string;
  payload: Json;
  /** `Event` is answered with status 202 as soon as the event is queued. */
  invocationType: 'RequestResponse' | 'Event' | 'DryRun';
}

export interface LambdaAnswer {
  /** 200, 202 for an event, 204 for a dry run. */
  statusCode: number;
  /** What the function returned, or the error's `{ errorType, errorMessage, … }`. */
  payload?: Json;
  /** Present when the function failed. */
  functionError?: string;
  /** Default `$LATEST`. */
  executedVersion?: string;
}

const parameters = new Set([
  'FunctionName',
  'InvocationType',
  'Payload',
  'Qualifier',
  'LogType',
  'ClientContext',
]);

/** A task whose resource is a function: its result is the function's. */
export async function invokeFunction(
  targets: TaskTargets,
  principal: Principal,
  functionArn: string,
  payload: Json,
): Promise<Json> {
  const answer = await invoke(targets, {
    principal,
    functionArn,
    payload,
    invocationType: 'RequestResponse',
  });
  return answer.payload ?? null;
}

/** `lambda:invoke`: the result is the whole answer of the Invoke API. */
export async function lambdaInvoke(targets: TaskTargets, principal: Principal, input: Json): Promise<Json> {
  if (!isJsonObject(input) || typeof input.FunctionName !== 'string') {
    throw runtimeError('lambda:invoke needs a FunctionName.');
  }
  const unknown = Object.keys(input).filter((key) => !parameters.has(key));
  if (unknown.length > 0) throw runtimeError(`lambda:invoke has no parameter ${unknown.join(', ')}.`);
  const answer = await invoke(targets, {
    principal,
    functionArn: functionArn(input.FunctionName, input.Qualifier, targets),
    payload: input.Payload ?? {},
    invocationType: invocationType(input.InvocationType),
  });
  const result: JsonObject = {
    ExecutedVersion: answer.executedVersion ?? '$LATEST',
    SdkHttpMetadata: { HttpStatusCode: answer.statusCode },
    StatusCode: answer.statusCode,
  };
  return answer.payload === undefined ? result : { ...result, Payload: answer.payload };
}

async function invoke(targets: TaskTargets, call: LambdaCall): Promise<LambdaAnswer> {
  let answer: LambdaAnswer;
  try {
    answer = await targets.invokeLambda(call);
  } catch (error) {
    throw serviceFailure(error);
  }
  if (answer.functionError === undefined) return answer;
  const payload = answer.payload ?? {};
  const type = isJsonObject(payload) ? payload.errorType : undefined;
  throw new StatesError(
    typeof type === 'string' && type !== '' ? type : 'Lambda.Unknown',
    JSON.stringify(payload),
  );
}

/** Errors of the Lambda service itself; a refusal by IAM is not part of its model. */
function serviceFailure(error: unknown): StatesError {
  if (!(error instanceof AwsError)) {
    return new StatesError('Lambda.Unknown', error instanceof Error ? error.message : String(error));
  }
  const declared = /Exception$/.test(error.code) && !/^AccessDenied/.test(error.code);
  return new StatesError(
    `Lambda.${declared ? error.code : 'AWSLambdaException'}`,
    `${error.message} (Service: AWSLambda; Status Code: ${error.statusCode}; Error Code: ${error.code})`,
  );
}

function invocationType(value: Json | undefined): LambdaCall['invocationType'] {
  if (value === undefined || value === 'RequestResponse') return 'RequestResponse';
  if (value === 'Event' || value === 'DryRun') return value;
  throw runtimeError(`lambda:invoke has no InvocationType ${JSON.stringify(value)}.`);
}

function functionArn(name: string, qualifier: Json | undefined, targets: TaskTargets): string {
  const arn = name.startsWith('arn:')
    ? name
    : `arn:aws:lambda:${targets.region}:${targets.accountId}:function:${name.replace(/^\d{12}:(function:)?/, '')}`;
  return typeof qualifier === 'string' && arn.split(':').length === 7 ? `${arn}:${qualifier}` : arn;
}
