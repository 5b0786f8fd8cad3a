import { sleep } from '../scheduler/clock.ts';
import { ruleHolds } from './choice.ts';
import { evaluate, limited, placeResult, type Scope, selectPath } from './data-flow.ts';
import type { ChoiceState, FailState, Machine, PassState, State, WaitState } from './definition.ts';
import { runtimeError, StatesError, Stopped } from './errors.ts';
import { contextOf, type Frame } from './frame.ts';
import type { Json } from './json.ts';
import { runMap } from './map-state.ts';
import { runParallel } from './parallel-state.ts';
import { catcherOf, Retries } from './retry.ts';
import { finish, prepare } from './state-data.ts';
import { runTask } from './task-state.ts';

interface Outcome {
  output: Json;
  /** undefined: this was the last state. */
  next?: string;
}

/**
 * Runs a machine, a branch or an item processor to its end.
 *
 * @returns the output of its last state.
 * @throws StatesError when a state fails and nothing catches it; the frame's reason when stopped.
 */
export async function runMachine(machine: Machine, input: Json, frame: Frame): Promise<Json> {
  let name = machine.startAt;
  let value = input;
  for (;;) {
    frame.signal.throwIfAborted();
    const state = machine.states.get(name);
    if (state === undefined) throw runtimeError(`There is no state ${name}.`);
    const outcome = await runState(state, value, frame);
    if (outcome.next === undefined) return outcome.output;
    name = outcome.next;
    value = outcome.output;
  }
}

async function runState(state: State, input: Json, frame: Frame): Promise<Outcome> {
  const { effects, trail } = frame;
  trail.record(`${state.Type}StateEntered`, 'stateEnteredEventDetails', {
    name: state.name,
    input: JSON.stringify(input),
  });
  const entered = new Date(effects.clock.now()).toISOString();
  const retries = new Retries('Retry' in state ? state.Retry : [], effects.random);
  const outcome = await attempt();
  if (state.Type !== 'Fail') {
    trail.record(`${state.Type}StateExited`, 'stateExitedEventDetails', {
      name: state.name,
      output: JSON.stringify(outcome.output),
    });
  }
  return outcome;

  async function attempt(): Promise<Outcome> {
    for (;;) {
      const context = contextOf(frame, {
        EnteredTime: entered,
        Name: state.name,
        RetryCount: retries.count,
      });
      try {
        const result = await dispatch(state, { input, context }, frame);
        return { ...result, output: limited(result.output, `The output of the state ${state.name}`) };
      } catch (error) {
        frame.signal.throwIfAborted();
        if (error instanceof Stopped) throw error;
        const failure = asStatesError(error);
        const delayMs = retries.delayAfter(failure);
        if (delayMs !== undefined) {
          await sleep(effects.clock, delayMs, frame.signal);
          continue;
        }
        const catcher = 'Catch' in state ? catcherOf(state.Catch, failure) : undefined;
        if (catcher === undefined) throw failure;
        const output = { Error: failure.error, Cause: failure.message };
        return { output: placeResult(catcher.ResultPath, input, output), next: catcher.Next };
      }
    }
  }
}

/** A mistake of the interpreter itself fails the execution, visibly and uncaught. */
function asStatesError(error: unknown): StatesError {
  if (error instanceof StatesError) return error;
  return runtimeError(error instanceof Error ? error.message : String(error));
}

async function dispatch(state: State, scope: Scope, frame: Frame): Promise<Outcome> {
  switch (state.Type) {
    case 'Task':
      return { output: await runTask(state, scope, frame), ...following(state) };
    case 'Parallel':
      return { output: await runParallel(state, scope, frame, runMachine), ...following(state) };
    case 'Map':
      return { output: await runMap(state, scope, frame, runMachine), ...following(state) };
    case 'Pass':
      return { output: runPass(state, scope), ...following(state) };
    case 'Wait':
      return { output: await runWait(state, scope, frame), ...following(state) };
    case 'Choice':
      return runChoice(state, scope);
    case 'Succeed':
      return {
        output: selectPath(state.OutputPath, { ...scope, input: selectPath(state.InputPath, scope) }),
      };
    case 'Fail':
      throw failureOf(state, scope);
  }
}

function following(state: { Next?: string | undefined }): { next?: string } {
  return state.Next === undefined ? {} : { next: state.Next };
}

function runPass(state: PassState, scope: Scope): Json {
  return finish(state, scope, state.Result === undefined ? prepare(state, scope) : state.Result);
}

async function runWait(state: WaitState, scope: Scope, frame: Frame): Promise<Json> {
  const input = selectPath(state.InputPath, scope);
  const { clock } = frame.effects;
  await sleep(clock, Math.max(0, waitMs(state, { ...scope, input }, clock.now())), frame.signal);
  return selectPath(state.OutputPath, { ...scope, input });
}

function waitMs(state: WaitState, scope: Scope, now: number): number {
  if (state.Seconds !== undefined) return state.Seconds * 1000;
  if (state.SecondsPath !== undefined) {
    const seconds = selectPath(state.SecondsPath, scope);
    if (typeof seconds === 'number' && Number.isInteger(seconds) && seconds >= 0) return seconds * 1000;
    throw runtimeError(`The SecondsPath '${state.SecondsPath}' does not lead to a whole number of seconds.`);
  }
  const timestamp = state.Timestamp ?? selectPath(state.TimestampPath, scope);
  const time = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  if (Number.isNaN(time)) throw runtimeError(`The TimestampPath '${state.TimestampPath}' leads to no time.`);
  return time - now;
}

function runChoice(state: ChoiceState, scope: Scope): Outcome {
  const input = selectPath(state.InputPath, scope);
  const rule = state.Choices.find((candidate) => ruleHolds(candidate, { ...scope, input }));
  const next = rule === undefined ? state.Default : String(rule.Next);
  if (next === undefined) {
    throw new StatesError('States.NoChoiceMatched', `No rule of the state ${state.name} matched.`);
  }
  return { output: selectPath(state.OutputPath, { ...scope, input }), next };
}

function failureOf(state: FailState, scope: Scope): StatesError {
  const text = (path: string | undefined, fallback: string | undefined) =>
    path === undefined ? fallback : String(evaluate(path, scope));
  return new StatesError(text(state.ErrorPath, state.Error) ?? '', text(state.CausePath, state.Cause) ?? '');
}
