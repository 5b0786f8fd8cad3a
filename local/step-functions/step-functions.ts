import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { JsonApi } from '../aws/api.ts';
import { AwsError, type Principal } from '../aws/operation.ts';
import { type Clock, systemClock } from '../scheduler/clock.ts';
import type { Service } from '../service.ts';
import type { Machine } from './definition.ts';
import { payloadLimitBytes } from './errors.ts';
import { type ExecutionLogging, executionLog } from './execution-log.ts';
import type { ExecutionRecord } from './execution-record.ts';
import { ExecutionStore } from './execution-store.ts';
import { Executions } from './executions.ts';
import type { Effects } from './frame.ts';
import { History, type HistoryEvent } from './history.ts';
import { readItems } from './item-reader.ts';
import { type Json, parseJson, sameJson } from './json.ts';
import { type MapRun, MapRuns } from './map-runs.ts';
import type { StepFunctionsOptions } from './options.ts';
import { runExecution } from './run-execution.ts';
import { statesApi } from './states-api.ts';
import { executionPrincipal, runTaskOn } from './tasks.ts';
import { readDefinition } from './validate.ts';

/** A state machine as its template describes it. */
export interface StateMachineDefinition {
  arn: string;
  name: string;
  /** JSON text in the Amazon States Language. */
  definition: string;
  roleArn: string;
  /** Default STANDARD; EXPRESS is refused. */
  type?: string;
  /** Where its transitions are logged; default nowhere. */
  logging?: ExecutionLogging;
}

export interface StateMachine extends StateMachineDefinition {
  machine: Machine;
  definitionHash: string;
  createdAt: number;
}

const executionName = z
  .string()
  .regex(/^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\p{Cc}]{1,80}$/u, 'is not a name an execution may have');

/** Runs state machines as AWS Step Functions does (Standard workflows, JSONPath). */
export class StepFunctions implements Service {
  readonly name = 'step functions';
  readonly api: JsonApi;
  readonly #options: StepFunctionsOptions;
  readonly #clock: Clock;
  readonly #store: ExecutionStore;
  readonly #executions: Executions;
  readonly #mapRuns: MapRuns;
  readonly #machines = new Map<string, StateMachine>();

  constructor(options: StepFunctionsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const now = () => this.#clock.now();
    const report = (line: string) => options.report?.(line);
    this.#store = new ExecutionStore(options.directory);
    this.#executions = new Executions(this.#store, {
      putEvent: (event) => options.putEvent(event),
      recordMetric: (datum) => options.recordMetric?.(datum),
      now,
      report,
      keptExecutions: options.keptExecutions ?? 500,
    });
    this.#mapRuns = new MapRuns({
      now,
      authorize: (principal, authorization) => options.authorize(principal, authorization),
      onChildFailed: (child, error) => report(`${child.arn} failed: ${error.name}: ${error.message}`),
    });
    this.api = statesApi(this);
  }

  /** Reads stored executions; those that an earlier run left running are marked as aborted. */
  async start(): Promise<void> {
    await this.#executions.load();
  }

  /** Aborts what runs. */
  async stop(): Promise<void> {
    await this.#executions.stop();
  }

  /**
   * Puts the events of interrupted executions on the default bus. To be called once rules and their
   * targets are there.
   */
  announceInterrupted(): Promise<void> {
    return this.#executions.announceInterrupted();
  }

  /**
   * Creates or updates a state machine. Executions that run keep the definition they began with.
   *
   * @throws UnsupportedDefinition naming everything in it that cannot be run as on AWS.
   * @throws Error when Step Functions may not assume its role.
   */
  async ensureStateMachine(definition: StateMachineDefinition): Promise<{ arn: string }> {
    if (definition.type !== undefined && definition.type !== 'STANDARD') {
      throw new Error(`${definition.name}: state machines of type ${definition.type} are not supported.`);
    }
    const machine = readDefinition(definition.definition);
    this.#requireTrust(definition);
    const definitionHash = await this.#store.saveDefinition(definition.definition);
    const createdAt = this.#machines.get(definition.arn)?.createdAt ?? this.#clock.now();
    this.#machines.set(definition.arn, { ...definition, machine, definitionHash, createdAt });
    return { arn: definition.arn };
  }

  /**
   * Starts an execution and returns when it is on record. Starting a running execution again, with
   * the same name and input, returns that one.
   *
   * @param request `input` is JSON text, `{}` by default; `name` a UUID by default.
   * @throws AwsError `StateMachineDoesNotExist`, `InvalidName`, `InvalidExecutionInput`,
   *   `ExecutionAlreadyExists`.
   */
  async startExecution(request: {
    stateMachineArn: string;
    name?: string | undefined;
    input?: string | undefined;
  }): Promise<ExecutionRecord> {
    const machine = this.machine(request.stateMachineArn);
    const name = request.name ?? randomUUID();
    if (!executionName.safeParse(name).success) throw new AwsError('InvalidName', `Invalid Name: '${name}'`);
    const text = request.input ?? '{}';
    const input = parseInputText(text);
    const executionArn = `${machine.arn.replace(':stateMachine:', ':execution:')}:${name}`;
    const existing = this.#executions.get(executionArn);
    if (existing !== undefined) return sameExecution(existing, input);
    const record: ExecutionRecord = {
      executionArn,
      name,
      stateMachineArn: machine.arn,
      stateMachineName: machine.name,
      roleArn: machine.roleArn,
      definition: machine.definitionHash,
      status: 'RUNNING',
      startedAt: this.#clock.now(),
      input: text,
      announced: false,
    };
    await this.#executions.begin(record, (controller, file) => {
      const identity = { ...record, arn: executionArn, input };
      const log = executionLog(machine.logging, executionArn, (...line) => this.#options.writeLog?.(...line));
      const history = this.#history((event) => {
        file.write(event);
        log(event);
      });
      return runExecution(machine.machine, identity, this.#effects(), history, controller);
    });
    return record;
  }

  /** Aborts an execution. One that has ended stays as it is. @throws AwsError ExecutionDoesNotExist */
  async stopExecution(executionArn: string, error?: string, cause?: string): Promise<ExecutionRecord> {
    this.execution(executionArn);
    await this.#executions.abort(executionArn, error, cause);
    return this.execution(executionArn);
  }

  /** @throws AwsError StateMachineDoesNotExist */
  machine(arn: string): StateMachine {
    const machine = this.#machines.get(arn);
    if (machine !== undefined) return machine;
    throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  }

  machines(): StateMachine[] {
    return [...this.#machines.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws AwsError ExecutionDoesNotExist */
  execution(arn: string): ExecutionRecord {
    const record = this.#executions.get(arn);
    if (record !== undefined) return record;
    throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  }

  /** Executions of a state machine, latest first. */
  executions(stateMachineArn: string): ExecutionRecord[] {
    return this.#executions.of(stateMachineArn);
  }

  /** The definition an execution runs or ran. */
  definitionOf(record: ExecutionRecord): Promise<string> {
    return this.#store.readDefinition(record.definition);
  }

  /** Everything an execution did so far, oldest first. */
  async history(executionArn: string): Promise<HistoryEvent[]> {
    await this.#executions.settleHistory(executionArn);
    const events: HistoryEvent[] = [];
    for await (const event of this.#store.readHistory(executionArn)) events.push(event);
    return events;
  }

  /** @throws AwsError ResourceNotFound */
  mapRun(arn: string): MapRun {
    const run = this.#mapRuns.get(arn);
    if (run !== undefined) return run;
    throw new AwsError('ResourceNotFound', `Map Run does not exist: '${arn}'`);
  }

  mapRuns(executionArn: string): MapRun[] {
    return this.#mapRuns.of(executionArn);
  }

  #requireTrust({ arn, roleArn }: StateMachineDefinition): void {
    const service: Principal = { kind: 'service', arn: 'states.amazonaws.com', sourceArn: arn };
    try {
      this.#options.authorize(service, { action: 'sts:AssumeRole', resource: roleArn });
    } catch (error) {
      throw new Error(`states.amazonaws.com is not authorized to assume the role ${roleArn}.`, {
        cause: error,
      });
    }
  }

  #history(write: (event: HistoryEvent) => void): History {
    return new History(() => this.#clock.now(), write, this.#options.historyLimit);
  }

  #effects(): Effects {
    const options = this.#options;
    return {
      clock: this.#clock,
      random: () => options.random?.() ?? Math.random(),
      runTask: (state, input, execution) => runTaskOn(options, state, input, execution),
      readItems: (reader, scope, execution) =>
        readItems(reader, scope, executionPrincipal(execution), (principal, object) =>
          options.readObject(principal, object),
        ),
      startMapRun: (label, total, execution) => this.#mapRuns.start(label, total, execution),
      distributedConcurrency: options.distributedConcurrency ?? 1000,
      childHistory: () => this.#history(() => undefined),
    };
  }
}

function parseInputText(text: string): Json {
  if (Buffer.byteLength(text) > payloadLimitBytes) {
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: 'input' must have length less than or equal to ${payloadLimitBytes}`,
    );
  }
  try {
    return parseJson(text);
  } catch (error) {
    throw new AwsError(
      'InvalidExecutionInput',
      `Invalid State Machine Execution Input: '${error instanceof Error ? error.message : error}'`,
    );
  }
}

function sameExecution(existing: ExecutionRecord, input: Json): ExecutionRecord {
  if (existing.status === 'RUNNING' && sameJson(parseJson(existing.input), input)) return existing;
  throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${existing.executionArn}'`);
}
