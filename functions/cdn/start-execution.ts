import { ExecutionAlreadyExists, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { onDependency } from '../shared/dependency.ts';

/** Starts a workflow under a name, once: a name is never given twice. */
export type StartExecution = (name: string, input: Readonly<Record<string, unknown>>) => Promise<void>;

/** @throws (by what it makes) DependencyError */
export function executionStarter(client: SFNClient, stateMachineArn: string): StartExecution {
  return async (name, input) => {
    await onDependency('Step Functions', 'StartExecution', async () => {
      try {
        await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
      } catch (error) {
        if (!(error instanceof ExecutionAlreadyExists)) throw error;
      }
    });
  };
}
