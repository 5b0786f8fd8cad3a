import { limited, type Scope } from './data-flow.ts';
import type { Machine, ParallelState } from './definition.ts';
import { type Frame, runTogether } from './frame.ts';
import type { Json } from './json.ts';
import { finish, prepare } from './state-data.ts';

export type RunMachine = (machine: Machine, input: Json, frame: Frame) => Promise<Json>;

/** Runs all branches at once; one that fails stops the others. The result is their outputs, in order. */
export async function runParallel(
  state: ParallelState,
  scope: Scope,
  frame: Frame,
  runMachine: RunMachine,
): Promise<Json> {
  const input = prepare(state, scope);
  frame.trail.record('ParallelStateStarted');
  let results: Json[];
  try {
    results = await runTogether(frame, state.branches, state.branches.length, (branch, _, inner) =>
      runMachine(branch, input, inner),
    );
    limited(results, `The result of the state ${state.name}`);
  } catch (error) {
    frame.trail.record(frame.signal.aborted ? 'ParallelStateAborted' : 'ParallelStateFailed');
    throw error;
  }
  frame.trail.record('ParallelStateSucceeded');
  return finish(state, scope, results);
}
