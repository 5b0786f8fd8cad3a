import type { TaskState } from './definition.ts';
import type { StatesError } from './errors.ts';
import type { Trail } from './history.ts';
import type { Json, JsonObject } from './json.ts';

interface TaskEvents {
  scheduled(input: Json, timeoutSeconds: number | undefined): void;
  succeeded(output: Json): void;
  failed(failure: StatesError): void;
}

/** History of a task: functions called by their own ARN have events of their own kind. */
export function taskEvents(state: TaskState, trail: Trail): TaskEvents {
  return state.task.kind === 'function' ? functionEvents(state, trail) : integrationEvents(state, trail);
}

function functionEvents(state: TaskState, trail: Trail): TaskEvents {
  const record = (event: string, details: JsonObject) =>
    trail.record(`LambdaFunction${event}`, `lambdaFunction${event}EventDetails`, details);
  return {
    scheduled(input, timeoutSeconds) {
      record('Scheduled', {
        resource: state.Resource,
        input: JSON.stringify(input),
        ...(timeoutSeconds === undefined ? {} : { timeoutInSeconds: timeoutSeconds }),
      });
      trail.record('LambdaFunctionStarted');
    },
    succeeded: (output) => record('Succeeded', { output: JSON.stringify(output) }),
    failed: (failure) => record(endOf(failure), { error: failure.error, cause: failure.message }),
  };
}

function integrationEvents(state: TaskState, trail: Trail): TaskEvents {
  const [resourceType = '', resource = ''] =
    /([^:]+(?::[^:]+)?):([^:]+)$/.exec(state.Resource.split(':').slice(5).join(':'))?.slice(1) ?? [];
  const record = (event: string, details: JsonObject) =>
    trail.record(`Task${event}`, `task${event}EventDetails`, { resourceType, resource, ...details });
  return {
    scheduled(input, timeoutSeconds) {
      record('Scheduled', {
        region: regionOf(state),
        parameters: JSON.stringify(input),
        ...(timeoutSeconds === undefined ? {} : { timeoutInSeconds: timeoutSeconds }),
      });
      record('Started', {});
    },
    succeeded: (output) => record('Succeeded', { output: JSON.stringify(output) }),
    failed: (failure) => record(endOf(failure), { error: failure.error, cause: failure.message }),
  };
}

function endOf(failure: StatesError): 'TimedOut' | 'Failed' {
  return failure.error === 'States.Timeout' ? 'TimedOut' : 'Failed';
}

function regionOf(state: TaskState): string {
  return state.Resource.split(':')[3] || 'us-east-1';
}
