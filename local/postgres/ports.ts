import { createHash } from 'node:crypto';
import { hasCode } from './error-code.ts';

/** Below the range from which systems take the ports of outgoing connections. */
const lowest = 20_000;
const range = 10_000;
const attempts = 500;

/**
 * Finds a port that is free and calls `listen` with it until that succeeds. Candidates begin at a
 * place that depends on `seed`, so that two checkouts seldom meet.
 *
 * @param wanted a port to try first, the one of an earlier run; 0 for none.
 * @throws what `listen` throws, unless it has the code EADDRINUSE.
 */
export async function listenOnFreePort<T>(
  seed: string,
  wanted: number,
  listen: (port: number) => Promise<T>,
): Promise<T> {
  const start = createHash('sha256').update(seed).digest().readUInt32BE() % range;
  const candidates = Array.from({ length: attempts }, (_, index) => lowest + ((start + index) % range));
  if (wanted !== 0) candidates.unshift(wanted);
  for (const port of candidates) {
    try {
      return await listen(port);
    } catch (error) {
      if (!hasCode(error, 'EADDRINUSE')) throw error;
    }
  }
  throw new Error(`None of ${candidates.length} TCP ports is free.`);
}
