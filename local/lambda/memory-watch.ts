import type { ExecutionEnvironment } from './execution-environment.ts';
import { canSampleAtOnce, sampleMemoryByPs } from './memory.ts';

/** Time between two samples of a busy process, in ms. Where a sample costs a process, they are rarer. */
const intervalMs = canSampleAtOnce ? 100 : 500;

/** Samples the memory of busy processes, so that those over their limit are ended. */
export class MemoryWatch {
  readonly #environments: () => readonly ExecutionEnvironment[];
  #timer: NodeJS.Timeout | undefined;
  #sampling = false;

  constructor(environments: () => readonly ExecutionEnvironment[]) {
    this.#environments = environments;
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.#sample(), intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #sample(): Promise<void> {
    const busy = this.#environments().filter((environment) => environment.state === 'busy');
    if (canSampleAtOnce) {
      for (const environment of busy) environment.sample();
      return;
    }
    if (busy.length === 0 || this.#sampling) return;
    this.#sampling = true;
    try {
      const samples = await sampleMemoryByPs(busy.flatMap(({ pid }) => pid ?? []));
      for (const environment of busy) {
        const rssBytes = samples.get(environment.pid ?? 0);
        if (rssBytes !== undefined) environment.noteMemory({ rssBytes, peakRssBytes: rssBytes });
      }
    } finally {
      this.#sampling = false;
    }
  }
}
