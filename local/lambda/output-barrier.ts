/** A stream of a process's output. */
export type OutputStream = 'stdout' | 'stderr';

/**
 * Answers come over another channel than output. The barrier holds an answer back until both
 * streams have been read up to the mark that was written before it.
 */
export class OutputBarrier {
  readonly #graceMs: number;
  readonly #waits = new Map<string, { read: Set<OutputStream>; done: PromiseWithResolvers<void> }>();
  #open = false;

  /** @param graceMs how long to wait for a mark that does not come, for example because a function closed its stdout. */
  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** A stream has been read up to the end of what belongs to `id`. */
  passed(stream: OutputStream, id: string): void {
    const wait = this.#wait(id);
    wait.read.add(stream);
    if (wait.read.size === 2) wait.done.resolve();
  }

  /** Resolves when all output of `id` has been read. */
  async until(id: string): Promise<void> {
    if (this.#open) return;
    const wait = this.#wait(id);
    const timer = setTimeout(() => wait.done.resolve(), this.#graceMs);
    await wait.done.promise;
    clearTimeout(timer);
    this.#waits.delete(id);
  }

  /** Nothing more will be read. */
  open(): void {
    this.#open = true;
    for (const wait of this.#waits.values()) wait.done.resolve();
  }

  #wait(id: string): { read: Set<OutputStream>; done: PromiseWithResolvers<void> } {
    const wait = this.#waits.get(id) ?? { read: new Set(), done: Promise.withResolvers<void>() };
    this.#waits.set(id, wait);
    return wait;
  }
}
