/** What asks for an end: the terminal, another process, a terminal that was closed. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * How long further signals belong to the same request, in milliseconds. Ctrl-C below `npm start`
 * arrives twice, from the terminal and from npm.
 */
const sameRequestMs = 500;

/** The wish to stop, from outside. */
export interface StopRequest {
  /** Aborted at the first signal. */
  signal: AbortSignal;
  /** Resolves at the first signal. */
  requested: Promise<void>;
}

/**
 * Listens for signals that ask for an end.
 *
 * @param onRequest called with the name of the first one.
 * @param onImpatience called when a later one asks again: whoever asks does not want to wait.
 */
export function listenForStop(
  onRequest: (signal: NodeJS.Signals) => void,
  onImpatience: () => void,
): StopRequest {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  let since: number | undefined;
  for (const signal of signals) {
    process.on(signal, () => {
      if (since === undefined) {
        since = performance.now();
        onRequest(signal);
        controller.abort();
        resolve();
      } else if (performance.now() - since > sameRequestMs) onImpatience();
    });
  }
  return { signal: controller.signal, requested: promise };
}
