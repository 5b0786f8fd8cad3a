import type { Clock } from '../../../local/scheduler/clock.ts';

interface Timer {
  time: number;
  callback: () => void;
}

/** A clock for tests: its time passes only when a test says so, or when nothing else is left to do. */
export class VirtualClock implements Clock {
  #now: number;
  #timers: Timer[] = [];

  constructor(start: number | string = '2026-11-20T10:00:00.000Z') {
    this.#now = typeof start === 'number' ? start : Date.parse(start);
  }

  now(): number {
    return this.#now;
  }

  at(time: number, callback: () => void): () => void {
    const timer = { time: Math.max(time, this.#now), callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How many timers wait. */
  get waiting(): number {
    return this.#timers.length;
  }

  /** Lets time pass, and everything happen that is due meanwhile. */
  async advance(durationMs: number): Promise<void> {
    const end = this.#now + durationMs;
    await settle();
    while (this.#fireNext(end)) await settle();
    this.#now = end;
    await settle();
  }

  /** Lets time pass in jumps, from one timer to the next, until the promise is settled. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const done = () => {
      settled = true;
    };
    promise.then(done, done);
    for (;;) {
      await settle();
      if (settled) return promise;
      if (!this.#fireNext(Number.POSITIVE_INFINITY)) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  #fireNext(end: number): boolean {
    const next = this.#timers.reduce<Timer | undefined>(
      (first, timer) => (first === undefined || timer.time < first.time ? timer : first),
      undefined,
    );
    if (next === undefined || next.time > end) return false;
    this.#timers = this.#timers.filter((timer) => timer !== next);
    this.#now = next.time;
    next.callback();
    return true;
  }
}

/** Lets everything happen that needs no time and no files. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
