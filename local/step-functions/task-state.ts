import { unlessAborted } from '../scheduler/clock.ts';
import { limited, type Scope, selectPath } from './data-flow.ts';
import type { TaskState } from './definition.ts';
import { runtimeError, StatesError } from './errors.ts';
import type { Frame } from './frame.ts';
import type { Json } from './json.ts';
import { finish, prepare } from './state-data.ts';
import { taskEvents } from './task-events.ts';

/**
 * Runs a task. When its time is over, or when the execution is stopped, what was called goes on, as
 * on AWS, and its result is ignored.
 */
export async function runTask(state: TaskState, scope: Scope, frame: Frame): Promise<Json> {
  const input = limited(prepare(state, scope), `The input of the task ${state.name}`);
  const timeoutSeconds = timeoutOf(state, scope);
  const events = taskEvents(state, frame.trail);
  events.scheduled(input, timeoutSeconds);
  let result: Json;
  try {
    const running = frame.effects.runTask(state, input, frame.execution);
    result = limited(
      await unlessAborted(withTimeout(running, timeoutSeconds, frame), frame.signal),
      `The state/task '${state.Resource}' returned a result that`,
    );
  } catch (error) {
    if (error instanceof StatesError && !frame.signal.aborted) events.failed(error);
    throw error;
  }
  events.succeeded(result);
  return finish(state, scope, result);
}

function timeoutOf(state: TaskState, scope: Scope): number | undefined {
  if (state.TimeoutSecondsPath === undefined) return state.TimeoutSeconds;
  const seconds = selectPath(state.TimeoutSecondsPath, scope);
  if (typeof seconds === 'number' && Number.isInteger(seconds) && seconds > 0) return seconds;
  throw runtimeError(`The TimeoutSecondsPath of ${state.name} does not lead to a positive whole number.`);
}

function withTimeout<T>(running: Promise<T>, seconds: number | undefined, frame: Frame): Promise<T> {
  if (seconds === undefined) return running;
  const { clock } = frame.effects;
  return new Promise((resolve, reject) => {
    const cancel = clock.at(clock.now() + seconds * 1000, () =>
      reject(new StatesError('States.Timeout', `The task ran for ${seconds} seconds.`)),
    );
    frame.signal.addEventListener('abort', cancel, { once: true });
    running.then(resolve, reject).finally(() => {
      cancel();
      frame.signal.removeEventListener('abort', cancel);
    });
  });
}
