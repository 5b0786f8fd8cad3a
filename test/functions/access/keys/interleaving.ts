import { AsyncLocalStorage } from 'node:async_hooks';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

/** A process that is gone: nothing that it would have sent is sent any more. */
export class Crash extends Error {}

interface Process {
  /** Calls that it gets through before it is gone. */
  readonly calls: number;
  sent: number;
  run: (() => void) | undefined;
}

/**
 * Runs processes that share one client one call at a time, in an order that a test chooses: each runs from one call to
 * the next, and then another one may be chosen.
 */
export class Interleaving {
  readonly #current = new AsyncLocalStorage<Process>();
  #paused: () => void = () => {};

  constructor(client: DynamoDBDocumentClient) {
    client.middlewareStack.add(
      (next) => async (input) => {
        const process = this.#current.getStore();
        if (process !== undefined) await this.#pause(process);
        return next(input);
      },
      { step: 'initialize', name: 'interleaving' },
    );
  }

  /**
   * @param order which of the waiting processes goes on, turn by turn; it begins anew at its end.
   * @returns the outcome of each.
   */
  async run<T>(
    processes: readonly { start: () => Promise<T>; calls?: number }[],
    order: readonly number[],
  ): Promise<PromiseSettledResult<T>[]> {
    const waiting: Process[] = [];
    const outcomes: Promise<PromiseSettledResult<T>>[] = [];
    for (const { start, calls = Number.POSITIVE_INFINITY } of processes) {
      const process: Process = { calls, sent: 0, run: undefined };
      const paused = this.#nextPause();
      const outcome = Promise.allSettled([this.#current.run(process, start)]).then(([settled]) => {
        this.#paused();
        return settled;
      });
      await paused;
      waiting.push(process);
      outcomes.push(outcome);
    }
    for (let turn = 0; ; turn++) {
      const ready = waiting.filter(({ run }) => run !== undefined);
      const chosen = ready[(order[turn % order.length] ?? 0) % ready.length];
      if (chosen === undefined) return Promise.all(outcomes);
      const { run } = chosen;
      chosen.run = undefined;
      const paused = this.#nextPause();
      run?.();
      await paused;
    }
  }

  /** Resolves when the process that runs waits again, or has ended. */
  #nextPause(): Promise<void> {
    return new Promise((resolve) => {
      this.#paused = resolve;
    });
  }

  async #pause(process: Process): Promise<void> {
    const turn = new Promise<void>((resolve) => {
      process.run = resolve;
    });
    this.#paused();
    await turn;
    if (process.sent++ >= process.calls) throw new Crash('gone');
  }
}
