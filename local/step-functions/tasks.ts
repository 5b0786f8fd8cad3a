import { rolePrincipal } from '../aws/credentials.ts';
import type { Principal } from '../aws/operation.ts';
import type { TaskState } from './definition.ts';
import type { ExecutionIdentity } from './frame.ts';
import { type Json, toJson } from './json.ts';
import { invokeFunction, type LambdaAnswer, type LambdaCall, lambdaInvoke } from './lambda-task.ts';
import { callOptimized } from './optimized-task.ts';
import { sdkFailure } from './sdk-errors.ts';
import { withAcronym, withKeys, withoutAcronym } from './sdk-keys.ts';
import type { SdkService } from './task-resource.ts';

/** The AWS that tasks call, under the role of the state machine. */
export interface TaskTargets {
  region: string;
  accountId: string;
  /** Invokes a function. @throws AwsError when Lambda itself refuses or fails. */
  invokeLambda(call: LambdaCall): Promise<LambdaAnswer>;
  /**
   * Calls an operation of an emulated service, in the JSON shapes of its API.
   *
   * @param service signing name, for example `kms`.
   * @throws AwsError
   */
  callAws(principal: Principal, service: string, operation: string, input: unknown): Promise<unknown>;
}

/** The principal that AWS makes of a state machine's role. */
export function executionPrincipal(execution: ExecutionIdentity): Principal {
  return rolePrincipal(execution.roleArn, execution.name.replaceAll(/[^\w+=,.@-]/g, '-').slice(0, 64));
}

/**
 * Runs a task with its finished parameters.
 *
 * @throws StatesError named as AWS names it.
 */
export async function runTaskOn(
  targets: TaskTargets,
  state: TaskState,
  input: Json,
  execution: ExecutionIdentity,
): Promise<Json> {
  const principal = executionPrincipal(execution);
  const { task } = state;
  switch (task.kind) {
    case 'function':
      return invokeFunction(targets, principal, task.arn, input);
    case 'lambda-invoke':
      return lambdaInvoke(targets, principal, input);
    case 'optimized':
      return callOptimized(targets, principal, task.integration, input, execution);
    case 'sdk': {
      const { service, operation } = task;
      try {
        const sent = toApi(input, service);
        return fromApi(
          toJson(await targets.callAws(principal, service.signingName, operation, sent)),
          service,
        );
      } catch (error) {
        throw await sdkFailure(error, service);
      }
    }
  }
}

/** Parameters as the service's API names them. */
function toApi(input: Json, { camelCase, acronyms }: SdkService): Json {
  if (camelCase) return withKeys(input, 'lower');
  return acronyms ? withAcronym(input) : input;
}

/** An answer as Step Functions names its members. */
function fromApi(answer: Json, { camelCase, acronyms }: SdkService): Json {
  if (camelCase) return withKeys(answer, 'upper');
  return acronyms ? withoutAcronym(answer) : answer;
}
