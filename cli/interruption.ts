import type { TextOutput } from './terminal.ts';

/** Work on the platform that goes on when nobody looks any more. */
export interface OngoingWork {
  /** For example `The backup 01K… goes on`. */
  name: string;
  /** The command that stops it. */
  cancel: string;
  /** The command that shows it again. */
  follow?: string;
}

/**
 * What a wish to stop does. The first Ctrl-C on work that goes on says so, and how to cancel it; a second one,
 * any other signal, and Ctrl-C on anything else leave at once.
 */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #output: TextOutput;
  #work: OngoingWork | undefined;

  constructor(output: TextOutput) {
    this.#output = output;
  }

  /** Aborted when it is time to leave. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Names the work that `run` only looks at. */
  async during<T>(work: OngoingWork, run: () => Promise<T>): Promise<T> {
    this.#work = work;
    try {
      return await run();
    } finally {
      this.#work = undefined;
    }
  }

  /** @param reason the name of the signal, or what else asked. */
  request(reason: string): void {
    if (this.#work !== undefined) {
      const { name, cancel, follow } = this.#work;
      this.#output.write(`\n  ${name} goes on. To cancel it: ${cancel}\n`);
      if (follow !== undefined) this.#output.write(`  To see it again: ${follow}\n`);
      if (reason === 'SIGINT') return void this.#output.write('  Ctrl-C again leaves it alone.\n');
    }
    this.leave();
  }

  leave(): void {
    this.#controller.abort();
  }
}
