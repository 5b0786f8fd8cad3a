/** Does one thing after the other, in the order asked for. */
export class WorkQueue {
  readonly #report: (message: string) => void;
  readonly #closing = new AbortController();
  #last: Promise<unknown> = Promise.resolve();

  /** @param report takes the failures of work that nobody waits for. */
  constructor(report: (message: string) => void) {
    this.#report = report;
  }

  /** Aborted when the queue closes: for work that waits for something. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Does `work` when everything before it is done, whether that succeeded or not. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  /** Like {@link run}, for work that nobody waits for. It is left out when the queue has been closed. */
  runInBackground(work: () => Promise<void>, what: string): void {
    this.run(async () => {
      if (!this.closed) await work();
    }).catch((error: Error) => {
      if (!this.closed) this.#report(`Could not ${what}: ${error.message}`);
    });
  }

  /** Waits for what has been asked for, without what only runs in the background. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#last;
  }
}
