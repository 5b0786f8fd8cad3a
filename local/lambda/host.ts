import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Service } from '../service.ts';
import type { LambdaDefinition } from './definition.ts';
import { EnvironmentStarter } from './environment-starter.ts';
import { EventQueue } from './event-queue.ts';
import { EventStore } from './event-store.ts';
import { serviceUnavailable } from './failures.ts';
import { type ArmedKill, Faults, type KillPlan } from './faults.ts';
import { type FoundFunction, type FunctionInfo, Functions } from './functions.ts';
import { type CompleteOptions, completeOptions, type LambdaHostOptions } from './host-options.ts';
import { Invocations } from './invocations.ts';
import { FunctionLogs, type LogListener } from './log-lines.ts';
import { MemoryWatch } from './memory-watch.ts';
import { checkPayload } from './payload.ts';

export interface InvokeOptions {
  /** Default `RequestResponse`. */
  type?: 'RequestResponse' | 'Event' | 'DryRun' | undefined;
  /** `X-Amzn-Trace-Id` of the caller. */
  traceHeader?: string | undefined;
  /** JSON text of the client context. */
  clientContext?: string | undefined;
}

/** What a caller of a function gets. */
export interface InvokeResult {
  statusCode: 200 | 202 | 204;
  requestId: string;
  executedVersion: string;
  /** JSON text: the result, or the error where `functionError` is set. None for `Event` and `DryRun`. */
  payload: string | undefined;
  functionError: 'Unhandled' | undefined;
  /** The last 4 KB of the invocation's log. */
  logTail: string;
}

/** A process as `environments()` shows it. */
export interface EnvironmentInfo {
  id: string;
  functionName: string;
  pid: number;
  state: 'busy' | 'idle';
  requestId: string | undefined;
  invocations: number;
  startedAtMs: number;
  rssBytes: number;
  peakRssBytes: number;
}

/** Runs functions as Lambda does: the very bundle of each, in processes of its own. */
export class LambdaHost implements Service {
  readonly name = 'lambda';
  readonly #options: CompleteOptions;
  readonly #logs: FunctionLogs;
  readonly #starter: EnvironmentStarter;
  readonly #functions: Functions;
  readonly #invocations: Invocations;
  readonly #faults = new Faults();
  readonly #queue: EventQueue;
  readonly #watch: MemoryWatch;
  #reaper: NodeJS.Timeout | undefined;
  #running = false;

  constructor(options: LambdaHostOptions) {
    const complete = completeOptions(options);
    this.#options = complete;
    this.#logs = new FunctionLogs(options.logDirectory);
    this.#starter = new EnvironmentStarter(complete, (environment, text, stream, requestId) => {
      this.#logs.write({ functionName: environment.spec.functionName, requestId, stream, text });
      this.#invocations.wrote(requestId, text);
      this.#faults.wrote(environment, text);
    });
    this.#functions = new Functions(
      (definition) => this.#starter.start(definition),
      complete.accountConcurrency,
    );
    this.#invocations = new Invocations(complete, this.#faults);
    this.#watch = new MemoryWatch(() => this.#functions.environments());
    this.#queue = new EventQueue({
      ...complete.events,
      store: new EventStore(join(options.directory, 'events')),
      deliver: complete.deliver,
      run: async (event) => {
        // A process started after `stop` would outlive the host's care for it.
        if (!this.#running) throw serviceUnavailable('The Lambda host is not running.');
        const found = this.#functions.find(event.functionArn);
        const { payload, failed } = await this.#invocations.run(found, { ...event, asynchronous: true });
        return { payload, failed, executedVersion: found.version };
      },
      configOf: (name) => {
        const definition = this.#functions.get(name)?.definition;
        if (definition === undefined) return undefined;
        return { config: definition.eventInvoke ?? {}, arn: definition.arn, roleArn: definition.roleArn };
      },
      report: (functionName, text) => {
        this.#logs.write({ functionName, requestId: undefined, stream: 'host', text });
      },
    });
  }

  async start(): Promise<void> {
    await this.#starter.prepare();
    this.#running = true;
    this.#watch.start();
    const { idle } = this.#options;
    const shortest = Math.min(idle.idleTimeoutMs, idle.surplusIdleTimeoutMs);
    this.#reaper = setInterval(
      () => {
        for (const pool of this.#functions.pools()) pool.reap(idle, Date.now());
      },
      Math.min(5000, Math.max(20, shortest / 4)),
    ).unref();
    await this.#queue.start();
  }

  async stop(): Promise<void> {
    this.#running = false;
    clearInterval(this.#reaper);
    this.#watch.stop();
    this.#faults.clear();
    this.#queue.stop();
    await this.#functions.stop();
    await this.#queue.settled();
    this.#logs.close();
  }

  /**
   * Defines a function, or changes it: environments with an older definition or older code end,
   * busy ones after their invocation.
   *
   * @throws {AwsError} `InvalidParameterValueException` for what AWS would not take.
   */
  async ensureFunction(definition: LambdaDefinition): Promise<void> {
    await this.#functions.ensure(definition);
    this.#queue.wake();
  }

  /**
   * The function, version and qualified ARN behind a name or ARN.
   *
   * @throws {AwsError} `ResourceNotFoundException`.
   */
  find(reference: string): Omit<FoundFunction, 'pool'> {
    const { pool: _, ...found } = this.#functions.find(reference);
    return found;
  }

  /** Every function, by name. */
  functions(): FunctionInfo[] {
    return this.#functions.list();
  }

  /**
   * Invokes a function. Whether the caller may is not checked here.
   *
   * @param reference name or ARN, with or without a qualifier.
   * @param payload JSON text, at most 6 MB (`Event`: 1 MB); empty means `{}`.
   * @throws {AwsError} `ResourceNotFoundException`, `TooManyRequestsException`,
   *   `RequestEntityTooLargeException`, `InvalidRequestContentException`. What the function does
   *   wrong is no error but a result with `functionError`.
   */
  async invoke(reference: string, payload: string, options: InvokeOptions = {}): Promise<InvokeResult> {
    if (!this.#running) throw serviceUnavailable('The Lambda host is not running.');
    const { type = 'RequestResponse', traceHeader, clientContext } = options;
    const found = this.#functions.find(reference);
    const { functionArn, version } = found;
    const event = payload === '' ? '{}' : payload;
    checkPayload(event, type);
    const requestId = randomUUID();
    const answer = {
      requestId,
      executedVersion: version,
      payload: undefined,
      functionError: undefined,
      logTail: '',
    };
    if (type === 'DryRun') return { ...answer, statusCode: 204 };
    if (type === 'Event') {
      const functionName = found.definition.name;
      await this.#queue.accept({ requestId, functionName, functionArn, payload: event, traceHeader });
      return { ...answer, statusCode: 202 };
    }
    const outcome = await this.#invocations.run(found, {
      requestId,
      payload: event,
      traceHeader,
      clientContext,
      asynchronous: false,
    });
    return {
      ...answer,
      statusCode: 200,
      payload: outcome.payload,
      functionError: outcome.failed ? 'Unhandled' : undefined,
      logTail: outcome.logTail,
    };
  }

  /** The processes there are, with their memory as it is now. */
  environments(): EnvironmentInfo[] {
    return this.#functions.environments().flatMap((environment) => {
      environment.sample();
      const { pid, state } = environment;
      if (pid === undefined || state === 'ended') return [];
      return {
        id: environment.spec.id,
        functionName: environment.spec.functionName,
        pid,
        state,
        requestId: environment.requestId,
        invocations: environment.invocations,
        startedAtMs: environment.startedAtMs,
        ...environment.memory,
      };
    });
  }

  /**
   * Most memory that any process of a function, as it is defined now, ever had resident, in bytes; 0 before
   * the first invocation.
   */
  peakRssBytes(functionName: string): number {
    return this.#invocations.peakOf(this.#functions.find(functionName).definition);
  }

  /** Accepted asynchronous invocations that are not done with. */
  get queuedEvents(): number {
    return this.#queue.size;
  }

  /** Calls the listener with every line that functions write from now on. Returns how to stop that. */
  onLogLine(listener: LogListener): () => void {
    return this.#logs.listen(listener);
  }

  /** The log file of a function. */
  logFile(functionName: string): string {
    return this.#logs.path(functionName);
  }

  /** Plans one kill of a function's process, for tests of what happens then. */
  kill(functionName: string, plan: KillPlan): ArmedKill {
    const { pool, definition } = this.#functions.find(functionName);
    return this.#faults.arm(definition.name, plan, () => pool.environments);
  }
}
