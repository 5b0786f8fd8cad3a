/** Time, for the parts that wait; a test brings its own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once, as soon as `now()` has reached `time`; the returned function cancels that. */
  at(time: number, callback: () => void): () => void;
}

/** Node fires longer timers at once, and a laptop that slept must notice that its time has come. */
const longestTimerMs = 60_000;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  at(time, callback) {
    let timer: NodeJS.Timeout;
    const arm = () => {
      const left = time - Date.now();
      timer = left > 0 ? setTimeout(arm, Math.min(left, longestTimerMs)) : setTimeout(callback, 0);
    };
    arm();
    return () => clearTimeout(timer);
  },
};

/**
 * Waits for `durationMs` (0 or more) by that clock.
 *
 * @throws the signal's reason as soon as it is aborted.
 */
export function sleep(clock: Clock, durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.at(clock.now() + durationMs, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/**
 * The promise's outcome, or the signal's reason when that comes first. What the promise stands for
 * goes on, and its late outcome is ignored.
 */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
