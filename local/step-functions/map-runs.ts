import { randomUUID } from 'node:crypto';
import { type Authorization, AwsError, type Principal } from '../aws/operation.ts';
import { StatesError } from './errors.ts';
import type { ExecutionIdentity, MapRunProgress } from './frame.ts';
import { executionPrincipal } from './tasks.ts';

/** A run of a distributed Map. Times are milliseconds since the epoch. */
export interface MapRun {
  arn: string;
  executionArn: string;
  stateMachineArn: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED';
  startedAt: number;
  stoppedAt?: number;
  total: number;
  running: number;
  succeeded: number;
  failed: number;
  aborted: number;
}

/** How many Map Runs that have ended are remembered. */
const remembered = 200;

export interface MapRunsOptions {
  now(): number;
  authorize(principal: Principal, authorization: Authorization): void;
  /** Told about each child that failed: Step Functions does not pass its error on to the parent. */
  onChildFailed(child: ExecutionIdentity, error: Error): void;
}

/** The Map Runs of this process; unlike executions they are not kept on disk. */
export class MapRuns {
  readonly #options: MapRunsOptions;
  readonly #runs = new Map<string, MapRun>();

  constructor(options: MapRunsOptions) {
    this.#options = options;
  }

  get(arn: string): MapRun | undefined {
    return this.#runs.get(arn);
  }

  /** Those of an execution, oldest first. */
  of(executionArn: string): MapRun[] {
    return [...this.#runs.values()].filter((run) => run.executionArn === executionArn);
  }

  /** @throws States.Permissions when the role may not start executions of its own state machine. */
  start(label: string, total: number, execution: ExecutionIdentity): MapRunProgress {
    const { now, onChildFailed } = this.#options;
    this.#authorize(execution);
    const run: MapRun = {
      arn: `${execution.stateMachineArn.replace(':stateMachine:', ':mapRun:')}/${label}:${randomUUID()}`,
      executionArn: execution.arn,
      stateMachineArn: execution.stateMachineArn,
      status: 'RUNNING',
      startedAt: now(),
      total,
      running: 0,
      succeeded: 0,
      failed: 0,
      aborted: 0,
    };
    this.#runs.set(run.arn, run);
    const counters = { SUCCEEDED: 'succeeded', FAILED: 'failed', ABORTED: 'aborted' } as const;
    return {
      arn: run.arn,
      childStarted: () => {
        run.running += 1;
      },
      childEnded: (status, child, failure) => {
        run.running -= 1;
        run[counters[status]] += 1;
        if (status === 'FAILED' && failure !== undefined) onChildFailed(child, failure);
      },
      ended: (status) => {
        run.status = status;
        run.stoppedAt = now();
        this.#forget();
      },
    };
  }

  #authorize(execution: ExecutionIdentity): void {
    try {
      this.#options.authorize(executionPrincipal(execution), {
        action: 'states:StartExecution',
        resource: execution.stateMachineArn,
      });
    } catch (error) {
      if (error instanceof AwsError) throw new StatesError('States.Permissions', error.message);
      throw error;
    }
  }

  #forget(): void {
    const ended = [...this.#runs.values()].filter(({ status }) => status !== 'RUNNING');
    for (const { arn } of ended.slice(0, Math.max(0, ended.length - remembered))) this.#runs.delete(arn);
  }
}
