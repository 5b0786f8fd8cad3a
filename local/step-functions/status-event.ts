import type { ServiceEvent } from '../events/event.ts';
import type { ExecutionRecord } from './execution-record.ts';

/** Beyond this, in bytes, AWS leaves input and output out of the event. */
const dataLimit = 248 * 1024;

/** The event of an execution's status, as Step Functions puts it on the default bus. */
export function statusEvent(record: ExecutionRecord): ServiceEvent {
  const inputSize = Buffer.byteLength(record.input);
  const withInput = inputSize <= dataLimit;
  const outputSize = Buffer.byteLength(record.output ?? '');
  const withOutput = outputSize + (withInput ? inputSize : 0) <= dataLimit;
  return {
    source: 'aws.states',
    detailType: 'Step Functions Execution Status Change',
    resources: [record.executionArn],
    time: record.stoppedAt ?? record.startedAt,
    detail: {
      executionArn: record.executionArn,
      stateMachineArn: record.stateMachineArn,
      stateMachineVersionArn: null,
      stateMachineAliasArn: null,
      name: record.name,
      status: record.status,
      startDate: record.startedAt,
      stopDate: record.stoppedAt ?? null,
      input: withInput ? record.input : null,
      inputDetails: { included: withInput },
      output: withOutput ? (record.output ?? null) : null,
      outputDetails: record.output === undefined ? null : { included: withOutput },
      error: record.error ?? null,
      cause: record.cause ?? null,
      redriveCount: 0,
      redriveDate: null,
    },
  };
}
