import { type ChildProcess, fork } from 'node:child_process';
import type * as z from 'zod';

/** A script of ours in a process of its own, which speaks in messages. */
export class Child {
  readonly #process: ChildProcess;
  readonly #exited: Promise<string>;
  readonly #messages: unknown[] = [];
  #wake: () => void = () => {};
  #end: string | undefined;

  /** @param script path of a TypeScript module. */
  constructor(script: string, args: readonly string[] = []) {
    this.#process = fork(script, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#process.on('message', (message) => {
      this.#messages.push(message);
      this.#wake();
    });
    this.#exited = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => {
        this.#end = `${script} ended with ${signal ?? code}.`;
        resolve(this.#end);
        this.#wake();
      });
    });
  }

  send(message: object): void {
    this.#process.send(message);
  }

  /** The next message. @throws when the process ends without one. */
  async receive<T>(schema: z.ZodType<T>): Promise<T> {
    while (this.#messages.length === 0) {
      if (this.#end !== undefined) throw new Error(this.#end);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return schema.parse(this.#messages.shift());
  }

  /** Lets the process end by itself: it has nothing more to hear. */
  async finish(): Promise<void> {
    if (this.#process.connected) this.#process.disconnect();
    await this.#exited;
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }
}
