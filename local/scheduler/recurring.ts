import type { Clock } from './clock.ts';

/** Calls back at each time of a timetable, from now on; what was missed before is not made up for. */
export class Recurring {
  readonly #clock: Clock;
  readonly #next: (after: number) => number | undefined;
  readonly #run: (time: number) => void;
  #cancel: () => void = () => undefined;

  /** @param run must not throw; gets the time that was due. */
  constructor(clock: Clock, next: (after: number) => number | undefined, run: (time: number) => void) {
    this.#clock = clock;
    this.#next = next;
    this.#run = run;
    this.#arm(clock.now());
  }

  stop(): void {
    this.#cancel();
  }

  #arm(after: number): void {
    const time = this.#next(after);
    if (time === undefined) return;
    this.#cancel = this.#clock.at(time, () => {
      this.#arm(Math.max(time, this.#clock.now()));
      this.#run(time);
    });
  }
}
