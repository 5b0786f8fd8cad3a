import type { Clock } from '../scheduler/clock.ts';
import type { Scope } from './data-flow.ts';
import type { ItemReader, TaskState } from './definition.ts';
import { Stopped } from './errors.ts';
import type { History, Trail } from './history.ts';
import type { Json, JsonObject } from './json.ts';

/** What running states need from outside the interpreter. */
export interface Effects {
  clock: Clock;
  /** 0 ≤ x < 1 */
  random(): number;
  /** Runs a task with its finished parameters. */
  runTask(state: TaskState, input: Json, execution: ExecutionIdentity): Promise<Json>;
  /** Reads the items of a distributed Map. */
  readItems(reader: ItemReader, scope: Scope, execution: ExecutionIdentity): Promise<Json[]>;
  /** Begins a Map Run. @throws States.Permissions when the role may not. */
  startMapRun(label: string, total: number, execution: ExecutionIdentity): MapRunProgress;
  /** Most child executions of one distributed Map at a time, whatever its definition says. */
  distributedConcurrency: number;
  /** A history that nobody reads, for a child execution. */
  childHistory(): History;
}

/** Told about the children of a Map Run. */
export interface MapRunProgress {
  arn: string;
  childStarted(): void;
  childEnded(status: 'SUCCEEDED' | 'FAILED' | 'ABORTED', child: ExecutionIdentity, failure?: Error): void;
  ended(status: 'SUCCEEDED' | 'FAILED' | 'ABORTED'): void;
}

/** What the context object says about an execution. */
export interface ExecutionIdentity {
  arn: string;
  name: string;
  roleArn: string;
  stateMachineArn: string;
  stateMachineName: string;
  input: Json;
  /** Milliseconds since the epoch. */
  startedAt: number;
}

/** Where the interpreter is: an execution, a branch of it or an iteration. */
export interface Frame {
  effects: Effects;
  execution: ExecutionIdentity;
  trail: Trail;
  /** Aborted, with a {@link Stopped} as reason, when no further state may start. */
  signal: AbortSignal;
}

/** The context object of a state. */
export function contextOf(frame: Frame, state: JsonObject, item?: { index: number; value: Json }): Json {
  const { execution } = frame;
  return {
    Execution: {
      Id: execution.arn,
      Input: execution.input,
      Name: execution.name,
      RoleArn: execution.roleArn,
      StartTime: new Date(execution.startedAt).toISOString(),
      RedriveCount: 0,
    },
    StateMachine: { Id: execution.stateMachineArn, Name: execution.stateMachineName },
    State: state,
    ...(item === undefined ? {} : { Map: { Item: { Index: item.index, Value: item.value } } }),
  };
}

/**
 * Runs parts of a state side by side. When one fails, none of the others starts anything more.
 *
 * @param concurrency 1 or more.
 * @throws the first failure, or the frame's own reason to stop.
 */
export async function runTogether<T, R>(
  frame: Frame,
  parts: readonly T[],
  concurrency: number,
  run: (part: T, index: number, frame: Frame) => Promise<R>,
): Promise<R[]> {
  const controller = new AbortController();
  const onAbort = () => controller.abort(frame.signal.reason);
  if (frame.signal.aborted) onAbort();
  frame.signal.addEventListener('abort', onAbort, { once: true });
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    while (next < parts.length) {
      const index = next++;
      const part = parts[index];
      controller.signal.throwIfAborted();
      if (part === undefined) throw new RangeError(`There is no part ${index}`);
      results[index] = await run(part, index, {
        ...frame,
        trail: frame.trail.branch(),
        signal: controller.signal,
      });
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, parts.length) }, worker));
    return results;
  } catch (error) {
    controller.abort(new Stopped('ABORTED', undefined, 'Another part of the state failed.'));
    throw error;
  } finally {
    frame.signal.removeEventListener('abort', onAbort);
  }
}
