import { randomUUID } from 'node:crypto';
import { unlessAborted } from '../scheduler/clock.ts';
import { fillTemplate, limited, type Scope, selectPath } from './data-flow.ts';
import type { MapState } from './definition.ts';
import { runtimeError, StatesError, Stopped } from './errors.ts';
import { contextOf, type ExecutionIdentity, type Frame, runTogether } from './frame.ts';
import { Trail } from './history.ts';
import { isJsonObject, type Json } from './json.ts';
import type { RunMachine } from './parallel-state.ts';
import { finish } from './state-data.ts';

/** How many iterations of an inline Map AWS runs at once when `MaxConcurrency` is 0. */
const inlineConcurrency = 40;
/** Children of `EXPRESS` type may not run longer. */
const expressLimitMs = 5 * 60_000;

/** Runs a Map state, inline or distributed. The result is the outputs of its iterations, in order. */
export async function runMap(
  state: MapState,
  scope: Scope,
  frame: Frame,
  runMachine: RunMachine,
): Promise<Json> {
  const inner: Scope = { ...scope, input: selectPath(state.InputPath, scope) };
  const given = state.ItemReader === undefined ? itemsOf(state, inner) : undefined;
  frame.trail.record('MapStateStarted', 'mapStateStartedEventDetails', { length: given?.length ?? 0 });
  let results: Json[];
  try {
    const items = given ?? (await readItems(state, inner, frame));
    const inputs = items.map((value, index) => inputOf(state, inner, frame, { index, value }));
    const run = state.distributed === undefined ? runInline : runDistributed;
    results = await run(state, inputs, concurrencyOf(state, inner), frame, runMachine);
    limited(results, `The result of the state ${state.name}`);
  } catch (error) {
    frame.trail.record(frame.signal.aborted ? 'MapStateAborted' : 'MapStateFailed');
    throw error;
  }
  frame.trail.record('MapStateSucceeded');
  return finish(state, scope, results);
}

function itemsOf(state: MapState, scope: Scope): Json[] {
  const items = selectPath(state.ItemsPath, scope);
  if (Array.isArray(items)) return items;
  throw runtimeError(`The ItemsPath '${state.ItemsPath ?? '$'}' of ${state.name} does not lead to an array.`);
}

async function readItems(state: MapState, scope: Scope, frame: Frame): Promise<Json[]> {
  if (state.ItemReader === undefined) return [];
  return unlessAborted(frame.effects.readItems(state.ItemReader, scope, frame.execution), frame.signal);
}

function inputOf(state: MapState, scope: Scope, frame: Frame, item: { index: number; value: Json }): Json {
  const selector = state.ItemSelector ?? state.Parameters;
  if (selector === undefined) return item.value;
  const own = isJsonObject(scope.context) && isJsonObject(scope.context.State) ? scope.context.State : {};
  return fillTemplate(selector, { ...scope, context: contextOf(frame, own, item) });
}

/** 0 means no limit of its own. */
function concurrencyOf(state: MapState, scope: Scope): number {
  if (state.MaxConcurrencyPath === undefined) return state.MaxConcurrency ?? 0;
  const value = selectPath(state.MaxConcurrencyPath, scope);
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw runtimeError(`The MaxConcurrencyPath of ${state.name} does not lead to a whole number.`);
}

async function runInline(
  state: MapState,
  inputs: readonly Json[],
  concurrency: number,
  frame: Frame,
  runMachine: RunMachine,
): Promise<Json[]> {
  return runTogether(frame, inputs, concurrency || inlineConcurrency, async (input, index, inner) => {
    const record = (event: string) =>
      inner.trail.record(`MapIteration${event}`, `mapIteration${event}EventDetails`, {
        name: state.name,
        index,
      });
    record('Started');
    try {
      const output = await runMachine(state.processor, input, inner);
      record('Succeeded');
      return output;
    } catch (error) {
      record(inner.signal.aborted ? 'Aborted' : 'Failed');
      throw error;
    }
  });
}

async function runDistributed(
  state: MapState,
  inputs: readonly Json[],
  concurrency: number,
  frame: Frame,
  runMachine: RunMachine,
): Promise<Json[]> {
  const { effects } = frame;
  const label = state.distributed?.label ?? state.name;
  const progress = effects.startMapRun(label, inputs.length, frame.execution);
  frame.trail.record('MapRunStarted', 'mapRunStartedEventDetails', { mapRunArn: progress.arn });
  const limit = Math.min(concurrency || Number.POSITIVE_INFINITY, effects.distributedConcurrency);
  let failed = false;
  try {
    const results = await runTogether(frame, inputs, limit, async (input, _, inner) => {
      const execution = childOf(frame.execution, label, input, effects.clock.now());
      const trail = new Trail(effects.childHistory());
      progress.childStarted();
      try {
        const output = await withinLimit(state, { ...inner, execution, trail }, (child) =>
          runMachine(state.processor, limited(input, 'The input of a child execution'), child),
        );
        progress.childEnded('SUCCEEDED', execution);
        return output;
      } catch (error) {
        const aborted = inner.signal.aborted;
        failed ||= !aborted;
        progress.childEnded(aborted ? 'ABORTED' : 'FAILED', execution, asError(error));
        throw error;
      }
    });
    progress.ended('SUCCEEDED');
    frame.trail.record('MapRunSucceeded');
    return results;
  } catch (error) {
    progress.ended(frame.signal.aborted ? 'ABORTED' : 'FAILED');
    if (frame.signal.aborted) {
      frame.trail.record('MapRunAborted');
      throw error;
    }
    // As on AWS, the error of the child is found at the child, not at the Map.
    const failure = failed
      ? new StatesError(
          'States.ExceedToleratedFailureThreshold',
          'The specified tolerated failure threshold was exceeded',
        )
      : asError(error);
    frame.trail.record('MapRunFailed', 'mapRunFailedEventDetails', {
      error: failure.name,
      cause: failure.message,
    });
    throw failure;
  }
}

/** Runs a child; one of EXPRESS type fails after five minutes. */
async function withinLimit(
  state: MapState,
  frame: Frame,
  run: (frame: Frame) => Promise<Json>,
): Promise<Json> {
  if (state.distributed?.express !== true) return run(frame);
  const { clock } = frame.effects;
  const controller = new AbortController();
  const onAbort = () => controller.abort(frame.signal.reason);
  frame.signal.addEventListener('abort', onAbort, { once: true });
  const cancel = clock.at(clock.now() + expressLimitMs, () =>
    controller.abort(new Stopped('TIMED_OUT', 'States.Timeout', 'An EXPRESS child ran for five minutes.')),
  );
  try {
    return await run({ ...frame, signal: controller.signal });
  } finally {
    cancel();
    frame.signal.removeEventListener('abort', onAbort);
  }
}

function childOf(parent: ExecutionIdentity, label: string, input: Json, now: number): ExecutionIdentity {
  const name = randomUUID();
  const stateMachineArn = `${parent.stateMachineArn}/${label}`;
  return {
    arn: `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`,
    name,
    roleArn: parent.roleArn,
    stateMachineArn,
    stateMachineName: `${parent.stateMachineName}/${label}`,
    input,
    startedAt: now,
  };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
