import * as z from 'zod';
import type { JsonApi } from '../aws/api.ts';
import { defineOperation } from '../aws/define-operation.ts';
import type { Operation } from '../aws/operation.ts';
import { page } from '../aws/paging.ts';
import { type ExecutionRecord, executionStatuses } from './execution-record.ts';
import type { HistoryEvent } from './history.ts';
import type { MapRun } from './map-runs.ts';
import type { StateMachine, StepFunctions } from './step-functions.ts';

const arn = z.string().startsWith('arn:');
const paging = { maxResults: z.int().min(0).max(1000).default(100), nextToken: z.string().optional() };

/** Declares an operation that acts on one resource, named by its input. */
function operation<T>(
  name: string,
  schema: z.ZodType<T>,
  resource: (input: T) => string,
  run: (input: T) => unknown,
): [string, Operation] {
  const authorize = (input: T) => [{ action: `states:${name}`, resource: resource(input) }];
  return [name, defineOperation(`states:${name}`, schema, { authorize, run })];
}

const ofExecution = z.strictObject({ executionArn: arn, includedData: z.literal('ALL_DATA').optional() });
const ofMachine = z.strictObject({ stateMachineArn: arn, includedData: z.literal('ALL_DATA').optional() });
const ofMapRun = z.strictObject({ mapRunArn: arn });

/** The operations of Step Functions that are emulated. */
export function statesApi(service: StepFunctions): JsonApi {
  return {
    protocol: 'json',
    signingName: 'states',
    targetPrefix: 'AWSStepFunctions',
    jsonVersion: '1.0',
    operations: Object.fromEntries([
      operation(
        'StartExecution',
        z.strictObject({
          stateMachineArn: arn,
          name: z.string().optional(),
          input: z.string().optional(),
          traceHeader: z.string().optional(),
        }),
        ({ stateMachineArn }) => stateMachineArn,
        async (input) => {
          const { executionArn, startedAt } = await service.startExecution(input);
          return { executionArn, startDate: new Date(startedAt) };
        },
      ),
      operation(
        'StopExecution',
        z.strictObject({
          executionArn: arn,
          error: z.string().max(256).optional(),
          cause: z.string().max(32_768).optional(),
        }),
        ({ executionArn }) => executionArn,
        async ({ executionArn, error, cause }) => {
          const { stoppedAt } = await service.stopExecution(executionArn, error, cause);
          return { stopDate: date(stoppedAt) };
        },
      ),
      operation('DescribeExecution', ofExecution, executionOf, ({ executionArn }) =>
        describeExecution(service.execution(executionArn)),
      ),
      operation('DescribeStateMachineForExecution', ofExecution, executionOf, async ({ executionArn }) => {
        const record = service.execution(executionArn);
        return {
          stateMachineArn: record.stateMachineArn,
          name: record.stateMachineName,
          definition: await service.definitionOf(record),
          roleArn: record.roleArn,
          updateDate: new Date(record.startedAt),
        };
      }),
      operation(
        'ListExecutions',
        z.strictObject({
          ...paging,
          stateMachineArn: arn,
          statusFilter: z.enum(executionStatuses).optional(),
        }),
        ({ stateMachineArn }) => stateMachineArn,
        ({ stateMachineArn, statusFilter, ...rest }) => {
          service.machine(stateMachineArn);
          const all = service.executions(stateMachineArn);
          const wanted = all.filter(({ status }) => statusFilter === undefined || status === statusFilter);
          const { items, nextToken } = paged(wanted, ({ executionArn }) => executionArn, rest);
          return { executions: items.map(summarize), nextToken };
        },
      ),
      operation(
        'GetExecutionHistory',
        z.strictObject({
          ...paging,
          executionArn: arn,
          reverseOrder: z.boolean().default(false),
          includeExecutionData: z.boolean().default(true),
        }),
        ({ executionArn }) => executionArn,
        async ({ executionArn, reverseOrder, includeExecutionData, ...rest }) => {
          service.execution(executionArn);
          const history = await service.history(executionArn);
          const { items, nextToken } = paged(
            reverseOrder ? history.reverse() : history,
            ({ id }) => String(id),
            rest,
          );
          return { events: items.map((event) => historyEvent(event, includeExecutionData)), nextToken };
        },
      ),
      operation(
        'ListStateMachines',
        z.strictObject(paging),
        () => '*',
        (input) => {
          const { items, nextToken } = paged(service.machines(), ({ arn }) => arn, input);
          return { stateMachines: items.map(summarizeMachine), nextToken };
        },
      ),
      operation(
        'DescribeStateMachine',
        ofMachine,
        ({ stateMachineArn }) => stateMachineArn,
        ({ stateMachineArn }) => {
          const machine = service.machine(stateMachineArn);
          return {
            ...summarizeMachine(machine),
            status: 'ACTIVE',
            definition: machine.definition,
            roleArn: machine.roleArn,
          };
        },
      ),
      operation(
        'DescribeMapRun',
        ofMapRun,
        ({ mapRunArn }) => mapRunArn,
        ({ mapRunArn }) => describeMapRun(service.mapRun(mapRunArn)),
      ),
      operation(
        'ListMapRuns',
        z.strictObject({ ...paging, executionArn: arn }),
        ({ executionArn }) => executionArn,
        ({ executionArn, ...rest }) => {
          service.execution(executionArn);
          const { items, nextToken } = paged(service.mapRuns(executionArn), (run) => run.arn, rest);
          return {
            mapRuns: items.map((run) => ({
              executionArn,
              mapRunArn: run.arn,
              stateMachineArn: run.stateMachineArn,
              startDate: new Date(run.startedAt),
              stopDate: date(run.stoppedAt),
            })),
            nextToken,
          };
        },
      ),
    ]),
  };
}

function executionOf({ executionArn }: { executionArn: string }): string {
  return executionArn;
}

function summarizeMachine(machine: StateMachine) {
  return {
    stateMachineArn: machine.arn,
    name: machine.name,
    type: 'STANDARD',
    creationDate: new Date(machine.createdAt),
  };
}

function summarize(record: ExecutionRecord) {
  return {
    executionArn: record.executionArn,
    stateMachineArn: record.stateMachineArn,
    name: record.name,
    status: record.status,
    startDate: new Date(record.startedAt),
    stopDate: date(record.stoppedAt),
    redriveCount: 0,
  };
}

function describeExecution(record: ExecutionRecord) {
  const included = { included: true };
  return {
    ...summarize(record),
    input: record.input,
    inputDetails: included,
    output: record.output,
    outputDetails: record.output === undefined ? undefined : included,
    error: record.error,
    cause: record.cause,
  };
}

function describeMapRun(run: MapRun) {
  const counts = {
    pending: run.total - run.running - run.succeeded - run.failed - run.aborted,
    running: run.running,
    succeeded: run.succeeded,
    failed: run.failed,
    timedOut: 0,
    aborted: run.aborted,
    total: run.total,
    resultsWritten: 0,
  };
  return {
    mapRunArn: run.arn,
    executionArn: run.executionArn,
    status: run.status,
    startDate: new Date(run.startedAt),
    stopDate: date(run.stoppedAt),
    maxConcurrency: 0,
    toleratedFailurePercentage: 0,
    toleratedFailureCount: 0,
    itemCounts: counts,
    executionCounts: counts,
    redriveCount: 0,
  };
}

function historyEvent({ detailsName, details, ...event }: HistoryEvent, withData: boolean) {
  const { input: _, output: __, parameters: ___, ...bare } = details ?? {};
  return {
    ...event,
    timestamp: new Date(event.timestamp),
    ...(detailsName === undefined ? {} : { [detailsName]: withData ? details : bare }),
  };
}

function paged<T>(
  all: readonly T[],
  keyOf: (item: T) => string,
  { maxResults, nextToken }: { maxResults: number; nextToken?: string | undefined },
) {
  const { items, next } = page(all, {
    keyOf,
    limit: maxResults || 100,
    token: nextToken,
    invalidToken: 'InvalidToken',
  });
  return { items, nextToken: next };
}

function date(time: number | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}
