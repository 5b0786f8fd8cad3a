import type { StateFile } from '../aws/state-file.ts';
import { Stopped } from './errors.ts';
import type { Ending, ExecutionRecord } from './execution-record.ts';
import type { ExecutionStore, HistoryFile } from './execution-store.ts';
import type { StepFunctionsOptions } from './options.ts';
import { statusEvent } from './status-event.ts';

export const interruptedCause = 'The local runtime stopped while the execution was running';

/** An execution that runs in this process. */
interface Live {
  controller: AbortController;
  history: HistoryFile;
  done: Promise<void>;
}

type Announcer = Pick<StepFunctionsOptions, 'putEvent' | 'recordMetric'> & {
  now(): number;
  report(line: string): void;
  keptExecutions: number;
};

/** All executions, running and ended: kept on disk, announced on the default bus, counted as metrics. */
export class Executions {
  readonly #store: ExecutionStore;
  readonly #options: Announcer;
  readonly #files = new Map<string, StateFile<ExecutionRecord>>();
  readonly #live = new Map<string, Live>();
  #stopping = false;

  constructor(store: ExecutionStore, options: Announcer) {
    this.#store = store;
    this.#options = options;
  }

  /** Reads what earlier runs left. What was running then has been aborted by their end. */
  async load(): Promise<void> {
    this.#stopping = false;
    for (const file of this.#store.load()) {
      this.#files.set(file.state.executionArn, file);
      if (file.state.status === 'RUNNING') {
        const ending: Ending = { status: 'ABORTED', cause: interruptedCause };
        Object.assign(file.state, ending, { stoppedAt: this.#options.now(), announced: false });
        await this.#endHistory(file.state);
        await file.save();
      }
    }
  }

  /** Puts the events on the bus that an earlier run could not put there any more. */
  async announceInterrupted(): Promise<void> {
    for (const file of this.#files.values()) {
      if (!file.state.announced && !this.#live.has(file.state.executionArn)) await this.#announce(file);
    }
  }

  get(executionArn: string): ExecutionRecord | undefined {
    return this.#files.get(executionArn)?.state;
  }

  /** Those of a state machine, latest first. */
  of(stateMachineArn: string): ExecutionRecord[] {
    return [...this.#files.values()]
      .map(({ state }) => state)
      .filter((record) => record.stateMachineArn === stateMachineArn)
      .sort((a, b) => b.startedAt - a.startedAt || (a.name < b.name ? -1 : 1));
  }

  /**
   * Begins an execution once its record is on disk.
   *
   * @param run resolves with how it ended; it must heed the controller.
   */
  async begin(
    record: ExecutionRecord,
    run: (controller: AbortController, history: HistoryFile) => Promise<Ending>,
  ): Promise<void> {
    if (this.#stopping) throw new Error('Step Functions has been stopped.');
    const file = this.#store.create(record);
    const { executionArn } = record;
    const controller = new AbortController();
    const history = this.#store.history(executionArn);
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const done = gate
      .then(() => run(controller, history))
      .then((ending) => this.#end(file, ending, history))
      .catch((error) => this.#options.report(`The end of ${executionArn} could not be recorded: ${error}`))
      .finally(() => this.#live.delete(executionArn));
    // Known from here on, so that a second start of the same name finds it.
    this.#files.set(executionArn, file);
    this.#live.set(executionArn, { controller, history, done });
    try {
      await file.save();
    } catch (error) {
      this.#files.delete(executionArn);
      this.#live.delete(executionArn);
      throw error;
    }
    this.#count(record, 'ExecutionsStarted');
    try {
      await this.#announce(file);
    } finally {
      open();
    }
  }

  /** Aborts an execution, if it still runs. What it has called goes on, but nothing follows. */
  async abort(executionArn: string, error: string | undefined, cause: string | undefined): Promise<void> {
    const live = this.#live.get(executionArn);
    live?.controller.abort(new Stopped('ABORTED', error, cause));
    await live?.done;
  }

  /** Waits until the history of an execution is readable. */
  async settleHistory(executionArn: string): Promise<void> {
    await this.#live.get(executionArn)?.history.flush();
  }

  /** Aborts everything; the events of that are put on the bus by the next run, when targets are there. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#live.keys()].map((arn) => this.abort(arn, undefined, interruptedCause)));
  }

  async #end(file: StateFile<ExecutionRecord>, ending: Ending, history: HistoryFile): Promise<void> {
    const record = file.state;
    Object.assign(record, ending, { stoppedAt: this.#options.now(), announced: false });
    await history.flush();
    await file.save();
    const counter = {
      SUCCEEDED: 'ExecutionsSucceeded',
      FAILED: 'ExecutionsFailed',
      ABORTED: 'ExecutionsAborted',
      TIMED_OUT: 'ExecutionsTimedOut',
    }[ending.status];
    this.#count(record, counter);
    this.#record(
      record,
      'ExecutionTime',
      (record.stoppedAt ?? record.startedAt) - record.startedAt,
      'Milliseconds',
    );
    if (!this.#stopping) await this.#announce(file);
    await this.#prune(record.stateMachineArn);
  }

  async #endHistory({ executionArn, cause = '' }: ExecutionRecord): Promise<void> {
    let last = 0;
    for await (const { id } of this.#store.readHistory(executionArn)) last = id;
    const history = this.#store.history(executionArn);
    history.write({
      id: last + 1,
      previousEventId: last,
      timestamp: this.#options.now(),
      type: 'ExecutionAborted',
      detailsName: 'executionAbortedEventDetails',
      details: { cause },
    });
    await history.flush();
  }

  async #announce(file: StateFile<ExecutionRecord>): Promise<void> {
    const { status } = file.state;
    await this.#options.putEvent(statusEvent(file.state));
    if (file.state.status !== status) return;
    file.state.announced = true;
    await file.save();
  }

  async #prune(stateMachineArn: string): Promise<void> {
    const ended = this.of(stateMachineArn).filter(
      ({ status, announced }) => status !== 'RUNNING' && announced,
    );
    for (const { executionArn } of ended.slice(this.#options.keptExecutions)) {
      this.#files.delete(executionArn);
      await this.#store.remove(executionArn);
    }
  }

  #count(record: ExecutionRecord, name: string): void {
    this.#record(record, name, 1, 'Count');
  }

  #record(record: ExecutionRecord, name: string, value: number, unit: string): void {
    this.#options.recordMetric?.({
      namespace: 'AWS/States',
      name,
      dimensions: { StateMachineArn: record.stateMachineArn },
      values: [value],
      unit,
      timestamp: this.#options.now(),
    });
  }
}
