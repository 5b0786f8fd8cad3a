import type { Clock } from '../scheduler/clock.ts';
import type { Machine } from './definition.ts';
import { StatesError, Stopped } from './errors.ts';
import type { Ending } from './execution-record.ts';
import type { Effects, ExecutionIdentity } from './frame.ts';
import { type History, Trail } from './history.ts';
import { runMachine } from './interpreter.ts';

/**
 * Runs an execution to its end, which is always an {@link Ending}.
 *
 * @param controller aborted with a {@link Stopped} to stop the execution; its time limit does that too.
 */
export async function runExecution(
  machine: Machine,
  execution: ExecutionIdentity,
  effects: Effects,
  history: History,
  controller: AbortController,
): Promise<Ending> {
  const cancelTimeout = limitTime(machine, effects.clock, controller);
  const trail = new Trail(history);
  let ending: Ending;
  try {
    trail.record('ExecutionStarted', 'executionStartedEventDetails', {
      input: JSON.stringify(execution.input),
      roleArn: execution.roleArn,
    });
    const output = await runMachine(machine, execution.input, {
      effects,
      execution,
      trail,
      signal: controller.signal,
    });
    ending = { status: 'SUCCEEDED', output: JSON.stringify(output) };
  } catch (error) {
    ending = endingOf(error);
    // Nothing that is still waiting somewhere may start anything more.
    controller.abort(error);
  } finally {
    cancelTimeout();
  }
  const { status, output, error, cause } = ending;
  const type = { SUCCEEDED: 'Succeeded', FAILED: 'Failed', ABORTED: 'Aborted', TIMED_OUT: 'TimedOut' }[
    status
  ];
  history.end(`Execution${type}`, `execution${type}EventDetails`, {
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
  });
  return ending;
}

function limitTime(machine: Machine, clock: Clock, controller: AbortController): () => void {
  if (machine.timeoutSeconds === undefined) return () => undefined;
  return clock.at(clock.now() + machine.timeoutSeconds * 1000, () =>
    controller.abort(new Stopped('TIMED_OUT', 'States.Timeout')),
  );
}

function endingOf(error: unknown): Ending {
  if (error instanceof Stopped) {
    return {
      status: error.status,
      ...(error.error === undefined ? {} : { error: error.error }),
      ...(error.message === '' ? {} : { cause: error.message }),
    };
  }
  const name = error instanceof StatesError ? error.error : 'States.Runtime';
  const cause = error instanceof Error ? error.message : String(error);
  return {
    status: 'FAILED',
    ...(name === '' ? {} : { error: name }),
    ...(cause === '' ? {} : { cause }),
  };
}
