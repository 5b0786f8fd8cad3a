import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Authorization, Principal } from '../../../local/aws/operation.ts';
import type { MetricDatum } from '../../../local/cloudwatch/metric.ts';
import type { ServiceEvent } from '../../../local/events/event.ts';
import type { Clock } from '../../../local/scheduler/clock.ts';
import type { ExecutionLogging } from '../../../local/step-functions/execution-log.ts';
import type { ExecutionRecord } from '../../../local/step-functions/execution-record.ts';
import type { Json } from '../../../local/step-functions/json.ts';
import type { LambdaAnswer, LambdaCall } from '../../../local/step-functions/lambda-task.ts';
import type { StepFunctionsOptions } from '../../../local/step-functions/options.ts';
import { StepFunctions } from '../../../local/step-functions/step-functions.ts';
import { VirtualClock } from '../scheduler/virtual-clock.ts';

export const region = 'us-east-1';
export const accountId = '000000000000';
export const roleArn = `arn:aws:iam::${accountId}:role/workflow`;
export const machineArn = `arn:aws:states:${region}:${accountId}:stateMachine:machine`;
export const functionArn = (name: string) => `arn:aws:lambda:${region}:${accountId}:function:${name}`;

type Handler = (payload: Json, call: LambdaCall) => Json | LambdaAnswer | Promise<Json | LambdaAnswer>;
export type AwsCall = { principal: Principal; service: string; operation: string; input: unknown };

/** An answer of a function that threw. */
export function thrown(errorType: string, errorMessage: string): LambdaAnswer {
  return { statusCode: 200, functionError: 'Unhandled', payload: { errorType, errorMessage, trace: [] } };
}

/** A `Task` state that invokes a function as CDK's LambdaInvoke writes it, without its default retries. */
export function invoke(name: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const last = 'Next' in more ? {} : { End: true };
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Parameters: { FunctionName: functionArn(name), 'Payload.$': '$' },
    ResultSelector: { 'value.$': '$.Payload' },
    OutputPath: '$.value',
    ...last,
    ...more,
  };
}

/** Step Functions with functions that are plain callbacks, and a time that passes as needed. */
export class Harness {
  readonly directory: string;
  readonly clock: VirtualClock;
  readonly events: ServiceEvent[] = [];
  readonly metrics: MetricDatum[] = [];
  readonly reports: string[] = [];
  readonly logged: { group: string; stream: string; message: string }[] = [];
  readonly calls: LambdaCall[] = [];
  readonly awsCalls: AwsCall[] = [];
  readonly authorizations: Authorization[] = [];
  readonly functions: Record<string, Handler> = {};
  aws: (call: AwsCall) => unknown = () => ({});
  objects: Record<string, string> = {};
  allow: (authorization: Authorization) => void = () => undefined;
  service: StepFunctions;
  readonly #overrides: Partial<StepFunctionsOptions> & { clock?: Clock };

  constructor(overrides: Partial<StepFunctionsOptions> = {}) {
    this.directory = mkdtempSync(join(tmpdir(), 'states-'));
    this.clock = new VirtualClock();
    this.#overrides = overrides;
    this.service = this.create();
  }

  /** Another service over the same directory, as after a restart. */
  create(): StepFunctions {
    this.service = new StepFunctions({
      directory: this.directory,
      region,
      accountId,
      clock: this.clock,
      random: () => 0.5,
      invokeLambda: async (call) => {
        this.calls.push(call);
        const name = call.functionArn.split(':')[6] ?? '';
        const handler = this.functions[name];
        if (handler === undefined) throw new Error(`There is no function ${name}`);
        const answer = await handler(call.payload, call);
        return isAnswer(answer) ? answer : { statusCode: 200, payload: answer };
      },
      callAws: async (principal, service, operation, input) => {
        const call = { principal, service, operation, input };
        this.awsCalls.push(call);
        return this.aws(call);
      },
      readObject: async (_principal, { bucket, key }) => {
        const text = this.objects[`${bucket}/${key}`];
        if (text === undefined) throw new Error('The specified key does not exist.');
        return Buffer.from(text);
      },
      authorize: (_principal, authorization) => {
        this.authorizations.push(authorization);
        this.allow(authorization);
      },
      putEvent: (event) => void this.events.push(event),
      recordMetric: (datum) => void this.metrics.push(datum),
      writeLog: (group, stream, message) => void this.logged.push({ group, stream, message }),
      report: (line) => void this.reports.push(line),
      ...this.#overrides,
    });
    return this.service;
  }

  async define(definition: unknown, logging?: ExecutionLogging): Promise<void> {
    await this.service.ensureStateMachine({
      arn: machineArn,
      name: 'machine',
      definition: JSON.stringify(definition),
      roleArn,
      ...(logging === undefined ? {} : { logging }),
    });
  }

  /** Starts an execution of the machine and waits for nothing. */
  start(input: Json = {}, name?: string): Promise<ExecutionRecord> {
    return this.service.startExecution({ stateMachineArn: machineArn, input: JSON.stringify(input), name });
  }

  /** Runs a definition to its end. */
  async run(definition: unknown, input: Json = {}): Promise<ExecutionRecord> {
    await this.define(definition);
    const { executionArn } = await this.start(input);
    return this.ended(executionArn);
  }

  /** Lets time pass until an execution has ended, its last event included. */
  async ended(executionArn: string): Promise<ExecutionRecord> {
    return this.clock.until(
      (async () => {
        for (;;) {
          const record = this.service.execution(executionArn);
          if (record.status !== 'RUNNING' && record.announced) return record;
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      })(),
    );
  }

  /** Runs states one after the other and gives the output, or the error and cause as `error: cause`. */
  async output(definition: unknown, input: Json = {}): Promise<unknown> {
    const record = await this.run(definition, input);
    return record.output === undefined ? `${record.error}: ${record.cause}` : JSON.parse(record.output);
  }

  async historyTypes(executionArn: string): Promise<string[]> {
    return (await this.service.history(executionArn)).map(({ type }) => type);
  }

  async dispose(): Promise<void> {
    await this.service.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function isAnswer(value: Json | LambdaAnswer): value is LambdaAnswer {
  return typeof value === 'object' && value !== null && 'statusCode' in value;
}

/** A machine of states in the order given. */
export function machine(states: Record<string, unknown>, more: Record<string, unknown> = {}) {
  return { StartAt: Object.keys(states)[0], States: states, ...more };
}
