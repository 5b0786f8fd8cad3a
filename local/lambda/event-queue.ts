import { AwsError } from '../aws/operation.ts';
import type { EventInvokeConfig } from './definition.ts';
import { destinationRecord, type EventEnd, type EventResponse } from './destination-record.ts';
import type { EventEntry, EventRecord, EventStore } from './event-store.ts';

/** Sends a record to a destination: a function, topic, queue or bus. */
export type Deliver = (
  targetArn: string,
  record: Record<string, unknown>,
  context: { functionArn: string; roleArn: string },
) => Promise<void>;

export interface EventQueueOptions {
  store: EventStore;
  /** Runs the function once. Throws `TooManyRequestsException` when it is throttled. */
  run(event: EventRecord): Promise<EventResponse>;
  /** How a function wants its events handled; undefined while there is no such function. */
  configOf(functionName: string): { config: EventInvokeConfig; arn: string; roleArn: string } | undefined;
  deliver: Deliver;
  /** Something a person should know: an event was given up, a destination could not be reached. */
  report(functionName: string, message: string): void;
  /** Delay before the first and the second retry, in ms. Default 60 000 and 120 000, as on AWS. */
  retryDelaysMs: readonly number[];
  /** First delay after a throttled attempt, in ms; it doubles up to 5 minutes. Default 1000. */
  throttleDelayMs: number;
  /** Events that may wait at once. */
  maxEvents: number;
  /** Events of one function that may run at once. */
  maxRunningPerFunction: number;
}

const longestThrottleDelayMs = 300_000;
const defaultMaxAgeSeconds = 21_600;
const deliveryAttempts = 3;

/** The queue of asynchronous invocations: every accepted event runs at least once. */
export class EventQueue {
  readonly #options: EventQueueOptions;
  readonly #waiting = new Map<string, EventEntry>();
  readonly #running = new Map<string, { functionName: string; done: Promise<void> }>();
  readonly #backoffs = new Map<string, number>();
  #accepting = 0;
  #timer: NodeJS.Timeout | undefined;
  #started = false;

  constructor(options: EventQueueOptions) {
    this.#options = options;
  }

  /** Picks up what an earlier run accepted. */
  async start(): Promise<void> {
    for (const entry of await this.#options.store.load()) this.#waiting.set(entry.requestId, entry);
    this.#started = true;
    this.wake();
  }

  /** Starts nothing more. What runs stays stored and runs again after the next start. */
  stop(): void {
    this.#started = false;
    clearTimeout(this.#timer);
  }

  /** Resolves when nothing runs any more; only after {@link stop}. */
  async settled(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  /** Events that are not done with. */
  get size(): number {
    return this.#waiting.size + this.#running.size + this.#accepting;
  }

  /**
   * Takes an event; when this resolves it is stored.
   *
   * @throws {AwsError} `TooManyRequestsException` when the queue is full.
   */
  async accept(event: Omit<EventRecord, 'acceptedAtMs' | 'attempts' | 'notBeforeMs'>): Promise<void> {
    if (this.size >= this.#options.maxEvents) {
      throw new AwsError('TooManyRequestsException', 'The queue of asynchronous invocations is full.', 429);
    }
    const { payload, ...rest } = event;
    const entry: EventEntry = { ...rest, acceptedAtMs: Date.now(), attempts: 0, notBeforeMs: 0 };
    this.#accepting += 1;
    try {
      await this.#options.store.put({ ...entry, payload });
    } finally {
      this.#accepting -= 1;
    }
    this.#waiting.set(entry.requestId, entry);
    this.wake();
  }

  /** Looks for events that can run now: a function was added, a place became free, time has passed. */
  wake(): void {
    if (!this.#started) return;
    clearTimeout(this.#timer);
    const now = Date.now();
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.#waiting.values()) {
      if (this.#options.configOf(entry.functionName) === undefined || this.#isFull(entry.functionName))
        continue;
      if (entry.notBeforeMs > now) next = Math.min(next, entry.notBeforeMs);
      else this.#begin(entry);
    }
    if (Number.isFinite(next)) this.#timer = setTimeout(() => this.wake(), Math.max(1, next - now));
  }

  #isFull(functionName: string): boolean {
    const running = [...this.#running.values()].filter((other) => other.functionName === functionName);
    return running.length >= this.#options.maxRunningPerFunction;
  }

  #begin(entry: EventEntry): void {
    const { requestId, functionName } = entry;
    this.#waiting.delete(requestId);
    const done = this.#attempt(entry)
      .catch((error: unknown) => this.#backOff(entry, error))
      .then((again) => {
        this.#running.delete(requestId);
        if (again !== undefined) this.#waiting.set(requestId, again);
        this.wake();
      });
    this.#running.set(requestId, { functionName, done });
  }

  /** Runs an event once. Returns the event when it is to be run again. */
  async #attempt(entry: EventEntry): Promise<EventEntry | undefined> {
    const stored = await this.#options.store.get(entry.requestId);
    const target = this.#options.configOf(entry.functionName);
    if (stored === undefined || target === undefined) return undefined;
    const event: EventRecord = { ...stored, ...entry };
    const { maxAgeSeconds = defaultMaxAgeSeconds, maxRetryAttempts = 2 } = target.config;
    const expiresAtMs = event.acceptedAtMs + maxAgeSeconds * 1000;
    if (Date.now() > expiresAtMs) return this.#finish(event, 'EventAgeExceeded', undefined);

    const response = await this.#options.run(event);
    // Stopped in the middle: whatever came of it, the stored event runs again.
    if (!this.#started) return undefined;
    event.attempts += 1;
    if (!response.failed) return this.#finish(event, 'Success', response);
    if (event.attempts > maxRetryAttempts) return this.#finish(event, 'RetriesExhausted', response);
    const delays = this.#options.retryDelaysMs;
    event.notBeforeMs = Date.now() + (delays[Math.min(event.attempts, delays.length) - 1] ?? 0);
    if (event.notBeforeMs > expiresAtMs) return this.#finish(event, 'EventAgeExceeded', response);
    await this.#options.store.put(event);
    const { payload: _, ...again } = event;
    return again;
  }

  /** The function was not run: throttled, most likely. That is no attempt, but takes ever longer to repeat. */
  #backOff(entry: EventEntry, error: unknown): EventEntry | undefined {
    if (!this.#started) return undefined;
    if (!(error instanceof AwsError && error.code === 'TooManyRequestsException')) {
      this.#options.report(entry.functionName, `event ${entry.requestId}: ${String(error)}`);
    }
    const before = this.#backoffs.get(entry.requestId) ?? 0;
    this.#backoffs.set(entry.requestId, before + 1);
    const delayMs = Math.min(this.#options.throttleDelayMs * 2 ** before, longestThrottleDelayMs);
    return { ...entry, notBeforeMs: Date.now() + delayMs };
  }

  async #finish(event: EventRecord, end: EventEnd, response: EventResponse | undefined): Promise<undefined> {
    const target = this.#options.configOf(event.functionName);
    const arn = end === 'Success' ? target?.config.onSuccessArn : target?.config.onFailureArn;
    if (end !== 'Success') {
      this.#options.report(event.functionName, `event ${event.requestId} was given up: ${end}`);
    }
    if (arn !== undefined && target !== undefined) {
      await this.#deliver(arn, destinationRecord(event, end, response), target, event.functionName);
    }
    this.#backoffs.delete(event.requestId);
    await this.#options.store.remove(event.requestId);
    return undefined;
  }

  async #deliver(
    destination: string,
    record: Record<string, unknown>,
    target: { arn: string; roleArn: string },
    functionName: string,
  ): Promise<void> {
    const context = { functionArn: target.arn, roleArn: target.roleArn };
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#options.deliver(destination, record, context);
      } catch (error) {
        if (attempt < deliveryAttempts) continue;
        return this.#options.report(functionName, `destination ${destination}: ${String(error)}`);
      }
    }
  }
}
