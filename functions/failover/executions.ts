import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { onDependency } from '../shared/dependency.ts';
import type { FailoverInput } from './phases/events.ts';

/** How an execution stands. */
export interface ExecutionStatus {
  readonly running: boolean;
  /** Of one that has not succeeded. */
  readonly failure?: { readonly name: string; readonly message: string };
}

/** The executions of the failover workflow, by their names. */
export class Executions {
  readonly #client: SFNClient;
  readonly #stateMachineArn: string;

  constructor(client: SFNClient, stateMachineArn: string) {
    this.#client = client;
    this.#stateMachineArn = stateMachineArn;
  }

  /** Starts one, once: a name is never given twice. @throws DependencyError */
  async start(name: string, input: FailoverInput): Promise<void> {
    await onDependency('Step Functions', 'StartExecution', async () => {
      try {
        await this.#client.send(
          new StartExecutionCommand({
            stateMachineArn: this.#stateMachineArn,
            name,
            input: JSON.stringify(input),
          }),
        );
      } catch (error) {
        if (!(error instanceof ExecutionAlreadyExists)) throw error;
      }
    });
  }

  /** @returns nothing where there is no execution of that name. @throws DependencyError */
  async status(name: string): Promise<ExecutionStatus | undefined> {
    const executionArn = `${this.#stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    return onDependency('Step Functions', 'DescribeExecution', async () => {
      try {
        const { status, error, cause } = await this.#client.send(
          new DescribeExecutionCommand({ executionArn }),
        );
        if (status === 'RUNNING' || status === 'PENDING_REDRIVE') return { running: true };
        if (status === 'SUCCEEDED') return { running: false };
        return { running: false, failure: { name: error ?? status ?? 'unknown', message: cause ?? '' } };
      } catch (error) {
        if (error instanceof ExecutionDoesNotExist) return undefined;
        throw error;
      }
    });
  }
}
