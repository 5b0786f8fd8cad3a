import { Stopped } from './errors.ts';
import type { JsonObject } from './json.ts';

/** A Standard execution fails when its history is this long. */
export const historyLimit = 25_000;

/** One entry of an execution's history, members named as in `GetExecutionHistory`. */
export interface HistoryEvent {
  id: number;
  previousEventId: number;
  /** Milliseconds since the epoch. */
  timestamp: number;
  type: string;
  /** Member that holds `details`, for example `stateEnteredEventDetails`. */
  detailsName?: string;
  details?: JsonObject;
}

/** Numbers the events of one execution and hands them on. */
export class History {
  readonly #now: () => number;
  readonly #limit: number;
  readonly #write: (event: HistoryEvent) => void;
  #lastId = 0;

  constructor(now: () => number, write: (event: HistoryEvent) => void, limit = historyLimit) {
    this.#now = now;
    this.#write = write;
    this.#limit = limit;
  }

  /**
   * @returns the id of the event.
   * @throws Stopped when the history is full, which fails the execution.
   */
  record(previousEventId: number, type: string, detailsName?: string, details?: JsonObject): number {
    // The last place is for the event that says how the execution ended.
    if (this.#lastId >= this.#limit - 1) {
      throw new Stopped(
        'FAILED',
        'States.Runtime',
        `The execution reached the maximum number of history events (${this.#limit}).`,
      );
    }
    return this.#append(previousEventId, type, detailsName, details);
  }

  /** Records how the execution ended. */
  end(type: string, detailsName: string, details: JsonObject): void {
    this.#append(this.#lastId, type, detailsName, details);
  }

  #append(previousEventId: number, type: string, detailsName?: string, details?: JsonObject): number {
    this.#lastId += 1;
    this.#write({
      id: this.#lastId,
      previousEventId,
      timestamp: this.#now(),
      type,
      ...(detailsName === undefined ? {} : { detailsName }),
      ...(details === undefined ? {} : { details }),
    });
    return this.#lastId;
  }
}

/** The events of one thread of an execution: a branch or an iteration has its own, begun by its parent. */
export class Trail {
  readonly #history: History;
  #last: number;

  constructor(history: History, last = 0) {
    this.#history = history;
    this.#last = last;
  }

  record(type: string, detailsName?: string, details?: JsonObject): void {
    this.#last = this.#history.record(this.#last, type, detailsName, details);
  }

  branch(): Trail {
    return new Trail(this.#history, this.#last);
  }
}
