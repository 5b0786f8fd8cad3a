import type { Clock } from '../../local/scheduler/clock.ts';

interface Timer {
  readonly time: number;
  readonly callback: () => void;
}

/** Time that passes only when everybody waits: hours of a workflow take as long as its decisions do. */
export class VirtualClock implements Clock {
  #now = 0;
  /** The next one last. */
  readonly #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  at(time: number, callback: () => void): () => void {
    const timer = { time: Math.max(time, this.#now), callback };
    this.#timers.splice(this.#placeOf(timer.time), 0, timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  /**
   * Lets time pass until `work` is done.
   *
   * @throws what `work` throws; an error when it waits for something that never comes.
   */
  async run<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const settled = work.finally(() => {
      done = true;
    });
    settled.catch(() => undefined);
    for (;;) {
      // Everything that can go on now goes on before time does.
      await new Promise((resolve) => setImmediate(resolve));
      if (done) return settled;
      const next = this.#timers.at(-1);
      if (next === undefined) throw new Error('Everybody waits, and nobody for the clock');
      this.#now = next.time;
      while (this.#timers.at(-1)?.time === this.#now) this.#timers.pop()?.callback();
    }
  }

  /** Of timers of the same time, the one that came first fires first. */
  #placeOf(time: number): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#timers[middle]?.time ?? 0) > time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
