import type { LambdaDefinition } from './definition.ts';
import type { ExecutionEnvironment } from './execution-environment.ts';
import { throttled } from './failures.ts';
import type { InvokeMessage } from './runner-protocol.ts';

/** When idle environments end. */
export interface IdlePolicy {
  /** An idle environment ends after this long, in ms. */
  idleTimeoutMs: number;
  /** Idle environments of one function beyond this number end after `surplusIdleTimeoutMs`. */
  keepIdle: number;
  surplusIdleTimeoutMs: number;
}

/** What a pool needs from the host. */
export interface PoolSurroundings {
  /** Starts a process for the function as it is now. */
  start(definition: LambdaDefinition): ExecutionEnvironment;
  /** Called before a process is started: may end an idle one, of any function. */
  makeRoom(): void;
}

/** What running an invocation told. */
export interface PooledOutcome {
  payload: string;
  failed: boolean;
  coldStart: boolean;
  initDurationMs: number | undefined;
  durationMs: number;
  maxMemoryUsedBytes: number;
}

/** The execution environments of one function. */
export class FunctionPool {
  #definition: LambdaDefinition;
  readonly #surroundings: PoolSurroundings;
  /** Idle environments, the one used last at the end. */
  #idle: ExecutionEnvironment[] = [];
  readonly #all = new Set<ExecutionEnvironment>();
  #running = 0;

  constructor(definition: LambdaDefinition, surroundings: PoolSurroundings) {
    this.#definition = definition;
    this.#surroundings = surroundings;
  }

  get definition(): LambdaDefinition {
    return this.#definition;
  }

  /** Every environment whose process has not ended. */
  get environments(): readonly ExecutionEnvironment[] {
    return [...this.#all];
  }

  /** The environment that has been idle longest. */
  get oldestIdle(): ExecutionEnvironment | undefined {
    return this.#idle[0];
  }

  /**
   * Runs one invocation, in the idle environment used last or in a new one.
   *
   * @param onDelivered called when an environment has been given the invocation.
   * @throws {AwsError} `TooManyRequestsException` beyond the function's reserved concurrency.
   */
  async invoke(
    message: Omit<InvokeMessage, 'deadlineMs'>,
    onDelivered: (environment: ExecutionEnvironment) => void,
  ): Promise<PooledOutcome> {
    const limit = this.#definition.reservedConcurrency;
    if (limit !== undefined && this.#running >= limit) throw throttled('function');
    this.#running += 1;
    try {
      const warm = this.#takeIdle();
      const environment = warm ?? this.#startNew();
      const startedAt = performance.now();
      const { payload, failed } = await environment.invoke(message, () => onDelivered(environment));
      const total = performance.now() - startedAt;
      const initDurationMs = warm === undefined ? environment.initDurationMs : undefined;
      this.#giveBack(environment);
      return {
        payload,
        failed,
        coldStart: warm === undefined,
        initDurationMs,
        durationMs: Math.max(0, total - (initDurationMs ?? 0)),
        maxMemoryUsedBytes: environment.memory.peakRssBytes,
      };
    } finally {
      this.#running -= 1;
    }
  }

  /** Takes a changed definition: environments of the old one end, busy ones after their invocation. */
  replace(definition: LambdaDefinition): void {
    this.#definition = definition;
    this.#idle = [];
    for (const environment of this.#all) environment.retire();
  }

  /** Ends environments that have been idle for too long. */
  reap(policy: IdlePolicy, nowMs: number): void {
    const surplus = this.#idle.length - policy.keepIdle;
    const over = this.#idle.filter((environment, index) => {
      const limit = index < surplus ? policy.surplusIdleTimeoutMs : policy.idleTimeoutMs;
      return nowMs - environment.lastUsedAtMs >= Math.min(limit, policy.idleTimeoutMs);
    });
    for (const environment of over) this.end(environment);
  }

  /** Ends an idle environment. */
  end(environment: ExecutionEnvironment): void {
    this.#idle = this.#idle.filter((other) => other !== environment);
    environment.retire();
  }

  /** Ends every environment at once, busy ones too, and waits until all are gone. */
  async stop(): Promise<void> {
    this.#idle = [];
    const environments = this.environments;
    for (const environment of environments) environment.kill();
    await Promise.all(environments.map((environment) => environment.gone));
  }

  #takeIdle(): ExecutionEnvironment | undefined {
    for (let next = this.#idle.pop(); next !== undefined; next = this.#idle.pop()) {
      if (next.reusable) return next;
    }
    return undefined;
  }

  #startNew(): ExecutionEnvironment {
    this.#surroundings.makeRoom();
    const environment = this.#surroundings.start(this.#definition);
    this.#all.add(environment);
    void environment.gone.then(() => {
      this.#all.delete(environment);
      this.#idle = this.#idle.filter((other) => other !== environment);
    });
    return environment;
  }

  #giveBack(environment: ExecutionEnvironment): void {
    if (environment.reusable) this.#idle.push(environment);
    else environment.retire();
  }
}
