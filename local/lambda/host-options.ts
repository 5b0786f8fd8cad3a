import type { FunctionCredentials, Surroundings } from './environment-variables.ts';
import type { Deliver } from './event-queue.ts';
import type { IdlePolicy } from './function-pool.ts';

/** What became of one invocation, for metrics. */
export interface InvocationReport {
  functionName: string;
  functionArn: string;
  requestId: string;
  startedAtMs: number;
  /** Time in the handler; 0 when it was throttled. */
  durationMs: number;
  /** Time to load the bundle; only for cold starts. */
  initDurationMs: number | undefined;
  /** `errorType` of what the function returned in place of a result. */
  error: string | undefined;
  coldStart: boolean;
  throttled: boolean;
  asynchronous: boolean;
  maxMemoryUsedBytes: number;
}

export interface LambdaHostOptions {
  /** State: accepted events, private directories, the runner. Belongs to this host alone. */
  directory: string;
  /** Where `<function>.log` files go. */
  logDirectory: string;
  region: string;
  credentials: { forRole(roleArn: string): FunctionCredentials };
  /** Asked for each new process. */
  surroundings: () => Surroundings;
  /** Sends records of asynchronous invocations to destinations. Default: reports that it cannot. */
  deliver?: Deliver;
  onInvocation?: (report: InvocationReport) => void;
  /** Invocations at once, of all functions. Default 1000; new AWS accounts have 10. */
  accountConcurrency?: number;
  /** Default: 5 minutes; two per function, others 15 seconds. */
  idle?: Partial<IdlePolicy>;
  /** Longest time to load a bundle, in ms. Default 10 000, as on AWS; more for functions that may run longer. */
  initTimeoutMs?: number;
  events?: {
    /** Default 60 000 and 120 000, as on AWS. */
    retryDelaysMs?: readonly number[];
    /** First delay after a throttled attempt. Default 1000. */
    throttleDelayMs?: number;
    /** Events that may wait. Default 10 000. */
    maxEvents?: number;
    /** Events of one function that may run at once. Default 3: each more is a process that a small machine has to start. */
    maxRunningPerFunction?: number;
  };
}

/** The options with their defaults. */
export type CompleteOptions = ReturnType<typeof completeOptions>;

export function completeOptions(options: LambdaHostOptions) {
  const { events = {}, idle = {} } = options;
  const deliver: Deliver = () => Promise.reject(new Error('this runtime delivers to no destinations'));
  return {
    ...options,
    deliver: options.deliver ?? deliver,
    onInvocation: options.onInvocation ?? (() => undefined),
    accountConcurrency: options.accountConcurrency ?? 1000,
    initTimeoutMs: options.initTimeoutMs ?? 10_000,
    idle: { idleTimeoutMs: 300_000, keepIdle: 2, surplusIdleTimeoutMs: 15_000, ...idle },
    events: {
      retryDelaysMs: [60_000, 120_000],
      throttleDelayMs: 1000,
      maxEvents: 10_000,
      maxRunningPerFunction: 3,
      ...events,
    },
  };
}
