import { randomUUID } from 'node:crypto';
import type { Principal } from '../aws/operation.ts';
import { StatesError } from './errors.ts';
import type { ExecutionIdentity } from './frame.ts';
import { isJsonObject, type Json, type JsonObject, toJson } from './json.ts';
import { sdkFailure } from './sdk-errors.ts';
import { withKeys } from './sdk-keys.ts';
import type { OptimizedIntegration } from './task-resource.ts';
import type { TaskTargets } from './tasks.ts';

/** Calls an optimized integration, which takes JSON where the API takes text. */
export async function callOptimized(
  targets: TaskTargets,
  principal: Principal,
  integration: OptimizedIntegration,
  input: Json,
  execution: ExecutionIdentity,
): Promise<Json> {
  const prepared = prepare(integration, isJsonObject(input) ? input : {}, execution);
  const sent = integration.camelCase ? withKeys(prepared, 'lower') : prepared;
  let answer: Json;
  try {
    answer = toJson(await targets.callAws(principal, integration.signingName, integration.operation, sent));
  } catch (error) {
    throw await sdkFailure(error, integration);
  }
  const members = isJsonObject(answer) ? answer : {};
  if (typeof members.FailedEntryCount === 'number' && members.FailedEntryCount > 0) {
    throw new StatesError(`${integration.errorPrefix}.FailedEntry`, JSON.stringify(members));
  }
  const result = integration.camelCase ? withKeys(members, 'upper') : members;
  return {
    ...(isJsonObject(result) ? result : {}),
    SdkHttpMetadata: { HttpStatusCode: 200 },
    SdkResponseMetadata: { RequestId: randomUUID() },
  };
}

function prepare(
  integration: OptimizedIntegration,
  input: JsonObject,
  execution: ExecutionIdentity,
): JsonObject {
  switch (integration.name) {
    case 'events:putEvents': {
      const entries = Array.isArray(input.Entries) ? input.Entries.filter(isJsonObject) : [];
      const resources = [execution.arn, execution.stateMachineArn];
      return {
        ...input,
        Entries: entries.map((entry) => ({
          ...textMember(entry, 'Detail'),
          Resources: [...(Array.isArray(entry.Resources) ? entry.Resources : []), ...resources],
        })),
      };
    }
    case 'sns:publish':
      return textMember(input, 'Message');
    case 'states:startExecution':
      return textMember(input, 'Input');
    default:
      return input;
  }
}

function textMember(input: JsonObject, name: string): JsonObject {
  const value = input[name];
  if (value === undefined || typeof value === 'string') return input;
  return { ...input, [name]: JSON.stringify(value) };
}
