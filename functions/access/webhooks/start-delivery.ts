import { ExecutionAlreadyExists, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { DeliveryRecord } from './delivery-record.ts';
import type { AttemptWork } from './workflow.ts';

/** Starts the present run of a delivery. */
export type StartDelivery = (record: DeliveryRecord) => Promise<void>;

/** Starts runs as executions of the workflow; the execution's name is the run's, so that twice is once. */
export function deliveryStarter(client: SFNClient, stateMachineArn: string): StartDelivery {
  return async ({ id, webhookId, run, traceparent }) => {
    const input: AttemptWork = { webhookId, deliveryId: id, run, attempt: 1, traceparent };
    const name = run === 1 ? id : `${id}-${run}`;
    try {
      await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
    } catch (error) {
      if (!(error instanceof ExecutionAlreadyExists)) throw error;
    }
  };
}
