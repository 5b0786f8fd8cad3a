import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as z from 'zod';
import { outOfMemory, runtimeExited, timedOut } from './failures.ts';
import { canSampleAtOnce, type MemorySample, sampleMemory } from './memory.ts';
import { OutputBarrier, type OutputStream } from './output-barrier.ts';
import { OutputLines } from './output-lines.ts';
import type { InvokeMessage } from './runner-protocol.ts';

/** How one invocation ended. */
export interface InvocationOutcome {
  /** JSON text: the result, or the error in Lambda's shape. */
  payload: string;
  failed: boolean;
}

/** What an execution environment is started with. */
export interface EnvironmentSpec {
  id: string;
  functionName: string;
  runnerFile: string;
  /** Directory of compiled code. */
  compileCache: string;
  codeDirectory: string;
  variables: Readonly<Record<string, string>>;
  nodeFlags: readonly string[];
  memoryMiB: number;
  timeoutSeconds: number;
  /** Longest time for loading the bundle, in ms. */
  initTimeoutMs: number;
  /** A line of output and the request it belongs to; none while the bundle is loaded. */
  onLine(text: string, stream: OutputStream, requestId: string | undefined): void;
  /** Removes what belonged to the process, once it has ended. */
  cleanUp(): Promise<void>;
}

const messageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('init-error'), payload: z.string() }),
  z.object({ type: z.literal('result'), requestId: z.string(), payload: z.string() }),
  z.object({ type: z.literal('error'), requestId: z.string(), payload: z.string(), fatal: z.boolean() }),
]);

/** How long to wait for output that a process wrote before its answer or its end, in ms. */
const outputGraceMs = 1000;

interface Pending {
  requestId: string;
  /** The process has answered; only its output is still being read. */
  answered: boolean;
  timer?: NodeJS.Timeout;
  done: PromiseWithResolvers<InvocationOutcome>;
}

/** One process that runs a function's bundle, one invocation at a time. */
export class ExecutionEnvironment {
  readonly spec: EnvironmentSpec;
  readonly startedAtMs = Date.now();
  /** Resolves when the process has ended and its directory is removed. */
  readonly gone: Promise<void>;
  lastUsedAtMs = Date.now();
  invocations = 0;
  /** How long loading the bundle took; undefined until it is loaded. */
  initDurationMs: number | undefined;
  /** Latest sample; the peak is the most that was ever seen. */
  memory: MemorySample = { rssBytes: 0, peakRssBytes: 0 };

  readonly #child: ChildProcess;
  readonly #barrier = new OutputBarrier(outputGraceMs);
  /** Settled with the failure, or with nothing when the bundle is loaded. */
  readonly #loaded = Promise.withResolvers<string | undefined>();
  readonly #initTimer: NodeJS.Timeout;
  #pending: Pending | undefined;
  #outputOf: string | undefined;
  #killedFor: 'init timeout' | 'timeout' | 'memory' | undefined;
  #ended = false;
  #retired = false;
  #initFailure: string | undefined;

  constructor(spec: EnvironmentSpec) {
    this.spec = spec;
    const secret = randomBytes(16).toString('hex');
    const runner = [spec.runnerFile, secret, spec.compileCache];
    this.#child = spawn(process.execPath, [...spec.nodeFlags, ...runner], {
      cwd: spec.codeDirectory,
      env: { ...spec.variables },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'json',
      // A group of its own: Ctrl-C reaches the host alone, and a kill reaches all the function began.
      detached: true,
    });
    for (const stream of ['stdout', 'stderr'] as const) {
      const source = this.#child[stream];
      if (source === null) continue;
      const onLine = (text: string): void => spec.onLine(text, stream, this.#outputOf);
      new OutputLines(source, secret, onLine, (id) => this.#barrier.passed(stream, id));
    }
    this.#child.on('message', (message) => void this.#receive(message));
    this.#initTimer = setTimeout(() => this.#killFor('init timeout'), spec.initTimeoutMs);
    this.gone = this.#end();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get requestId(): string | undefined {
    return this.#pending?.requestId;
  }

  get state(): 'busy' | 'idle' | 'ended' {
    if (this.#ended || !this.#child.connected) return 'ended';
    return this.#pending === undefined ? 'idle' : 'busy';
  }

  /** Whether a further invocation may be given to it. */
  get reusable(): boolean {
    return this.state === 'idle' && !this.#retired && this.#initFailure === undefined;
  }

  /**
   * Runs one invocation. It never rejects: every way a process can end is an outcome.
   *
   * @param onDelivered called when the process has loaded the bundle and is given the invocation.
   */
  async invoke(
    message: Omit<InvokeMessage, 'deadlineMs'>,
    onDelivered: () => void,
  ): Promise<InvocationOutcome> {
    const pending: Pending = {
      requestId: message.requestId,
      answered: false,
      done: Promise.withResolvers(),
    };
    this.#pending = pending;
    this.invocations += 1;
    const failure = await this.#loaded.promise;
    if (failure === undefined) {
      this.#deliver(message, pending);
      onDelivered();
    } else pending.done.resolve({ payload: failure, failed: true });
    const outcome = await pending.done.promise;
    clearTimeout(pending.timer);
    this.#pending = undefined;
    this.lastUsedAtMs = Date.now();
    return outcome;
  }

  /** Ends the process and everything it began, at once. */
  kill(): void {
    const { pid } = this.#child;
    if (this.#ended || pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      this.#child.kill('SIGKILL');
    }
  }

  /** Lets the running invocation end, takes no further one, then ends the process. */
  retire(): void {
    this.#retired = true;
    if (this.#pending === undefined) this.kill();
  }

  /** Reads the process's memory where that is possible at once, see {@link noteMemory}. */
  sample(): void {
    if (!canSampleAtOnce || this.pid === undefined || this.#ended) return;
    const sample = sampleMemory(this.pid);
    if (sample !== undefined) this.noteMemory(sample);
  }

  /** Takes a memory sample into account, and ends the process when it used more than it may. */
  noteMemory(sample: MemorySample): void {
    this.memory = {
      rssBytes: sample.rssBytes,
      peakRssBytes: Math.max(this.memory.peakRssBytes, sample.peakRssBytes, sample.rssBytes),
    };
    const busy = this.#pending !== undefined && !this.#pending.answered;
    if (busy && this.memory.peakRssBytes > this.spec.memoryMiB * 1024 * 1024) this.#killFor('memory');
  }

  #deliver(message: Omit<InvokeMessage, 'deadlineMs'>, pending: Pending): void {
    const timeoutMs = this.spec.timeoutSeconds * 1000;
    pending.timer = setTimeout(() => this.#killFor('timeout'), timeoutMs);
    this.#outputOf = message.requestId;
    const full: InvokeMessage = { ...message, deadlineMs: Date.now() + timeoutMs };
    // A process that is gone cannot be written to; its end settles the invocation.
    this.#child.send(full, () => undefined);
  }

  async #receive(raw: unknown): Promise<void> {
    const message = messageSchema.safeParse(raw).data;
    if (message?.type === 'ready' || message?.type === 'init-error') {
      clearTimeout(this.#initTimer);
      this.initDurationMs = Date.now() - this.startedAtMs;
      if (message.type === 'init-error') this.#initFailure = message.payload;
      await this.#barrier.until('init');
      this.#loaded.resolve(this.#initFailure);
      return;
    }
    const pending = this.#pending;
    if (message === undefined || pending?.requestId !== message.requestId || pending.answered) return;
    this.sample();
    if (this.#killedFor !== undefined) return;
    pending.answered = true;
    clearTimeout(pending.timer);
    if (message.type === 'error' && message.fatal) this.#retired = true;
    await this.#barrier.until(message.requestId);
    pending.done.resolve({ payload: message.payload, failed: message.type === 'error' });
  }

  #killFor(reason: 'init timeout' | 'timeout' | 'memory'): void {
    this.#killedFor ??= reason;
    this.kill();
  }

  async #end(): Promise<void> {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
      this.#child.on('close', (exitCode, exitSignal) => resolve([exitCode, exitSignal]));
      // Something the function began may hold the pipes open for longer than the function lives.
      this.#child.on('exit', (exitCode, exitSignal) => {
        setTimeout(() => resolve([exitCode, exitSignal]), outputGraceMs).unref();
      });
      this.#child.on('error', () => {
        if (this.#child.pid === undefined) resolve([1, null]);
      });
    });
    this.#ended = true;
    clearTimeout(this.#initTimer);
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    this.#barrier.open();
    const failure = this.#failure(code, signal);
    this.#loaded.resolve(this.#initFailure ?? failure);
    if (this.#pending?.answered === false) this.#pending.done.resolve({ payload: failure, failed: true });
    await this.spec.cleanUp().catch(() => undefined);
  }

  #failure(code: number | null, signal: NodeJS.Signals | null): string {
    const requestId = this.#pending?.requestId ?? '';
    if (this.#killedFor === 'memory') return outOfMemory(requestId);
    if (this.#killedFor === 'timeout') return timedOut(requestId, this.spec.timeoutSeconds);
    if (this.#killedFor === 'init timeout') return timedOut(requestId, this.spec.initTimeoutMs / 1000);
    return runtimeExited(requestId, code, signal);
  }
}
