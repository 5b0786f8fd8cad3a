/** What asks for an end: the terminal, another process, a terminal that was closed. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * How long further signals belong to the same request, in milliseconds. Ctrl-C below `npm start`
 * arrives twice, from the terminal and from npm.
 */
const sameRequestMs = 500;

/** How often it is looked after npm, in milliseconds. */
const npmIntervalMs = 1000;

/** The wish to stop, from outside. */
export interface StopRequest {
  /** Aborted at the first signal. */
  signal: AbortSignal;
  /** Resolves at the first signal. */
  requested: Promise<void>;
}

/**
 * Listens for signals that ask for an end. Below npm, an end of npm asks for it as well: nobody
 * would find what it leaves behind.
 *
 * @param onRequest called once, with what asked first.
 * @param onImpatience called when a later signal asks again: whoever asks does not want to wait. The end of npm is no signal.
 */
export function listenForStop(onRequest: (reason: string) => void, onImpatience: () => void): StopRequest {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  const request = (reason: string) => {
    if (controller.signal.aborted) return;
    onRequest(reason);
    controller.abort();
    resolve();
  };
  let since: number | undefined;
  for (const signal of signals) {
    process.on(signal, () => {
      request(signal);
      since ??= performance.now();
      if (performance.now() - since > sameRequestMs) onImpatience();
    });
  }
  if (process.env.npm_lifecycle_event !== undefined) {
    const npm = process.ppid;
    const timer = setInterval(() => {
      if (process.ppid === npm) return;
      clearInterval(timer);
      request('npm has ended');
    }, npmIntervalMs);
    timer.unref();
  }
  return { signal: controller.signal, requested: promise };
}
