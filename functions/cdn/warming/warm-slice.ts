import type { EdgeAnswer } from '../providers/edge-client.ts';
import { EdgeRequestError } from '../providers/edge-request-error.ts';
import type { AskEdge } from '../purge/prove.ts';
import type { Result } from './model.ts';
import { headersOf, type Task } from './tasks.ts';

export interface SliceDependencies {
  readonly ask: AskEdge;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
  /** Requests that are begun within a second, to one host. */
  readonly requestsPerSecond: number;
}

const attempts = 3;
const firstWaitMs = 500;
/** Longer than that nobody is waited for: what asks for more has failed this time. */
const longestWaitMs = 10_000;

/**
 * Makes some requests to one host, so many at the same time. What answers 429 or an error of its own is left alone, by all of them, for as
 * long as it asks or a while that grows; nothing is asked more than three times.
 *
 * @param goesOn whether another one is to be begun.
 * @returns what has become of those that were begun, in the order of the tasks.
 */
export async function warmSlice(
  { ask, now, sleep, requestsPerSecond }: SliceDependencies,
  domain: string,
  tasks: readonly Task[],
  concurrency: number,
  goesOn: () => boolean = () => true,
): Promise<Result[]> {
  const results: Result[] = [];
  let quietUntil = 0;
  let nextAt = 0;
  let next = 0;

  const turn = async () => {
    const from = now();
    const at = Math.max(from, quietUntil, nextAt);
    nextAt = at + 1000 / requestsPerSecond;
    if (at - from >= 1) await sleep(at - from);
  };
  const one = async (task: Task): Promise<Result> => {
    for (let attempt = 1; ; attempt++) {
      await turn();
      const result = await attemptOf(ask, domain, task, attempt);
      if (!result.again || attempt === attempts) return result.result;
      const growing = firstWaitMs * 2 ** (attempt - 1) * (0.5 + Math.random());
      quietUntil = Math.max(quietUntil, now() + Math.min(longestWaitMs, result.waitMs ?? growing));
    }
  };
  const worker = async () => {
    for (let index = next++; index < tasks.length && goesOn(); index = next++) {
      const task = tasks[index];
      if (task !== undefined) results[index] = await one(task);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, tasks.length) }, worker));
  // Those that were begun; where there is a gap, what is behind it is asked for again.
  let begun = 0;
  while (results[begun] !== undefined) begun++;
  return results.slice(0, begun);
}

interface Attempted {
  readonly result: Result;
  /** Whether another attempt may come to something else. */
  readonly again: boolean;
  readonly waitMs?: number | undefined;
}

async function attemptOf(ask: AskEdge, domain: string, task: Task, attempt: number): Promise<Attempted> {
  const { path, encoding, imageFormat, address } = task;
  const about = { path, encoding, imageFormat, attempts: attempt };
  try {
    const answer = await ask({ domain, path, address, headers: headersOf(task) });
    const { status, location, bytes, durationMs } = answer;
    const good = status < 400;
    return {
      result: {
        ...{ ...about, location, status, bytes, durationMs },
        before: answer.cache === 'hit' ? 'warm' : answer.cache === 'miss' ? 'cold' : 'unknown',
        error: good ? null : `status-${status}`,
      },
      again: status === 429 || status >= 500,
      waitMs: waitOf(answer),
    };
  } catch (error) {
    if (!(error instanceof EdgeRequestError)) throw error;
    return {
      result: {
        ...about,
        location: null,
        before: null,
        status: null,
        bytes: 0,
        durationMs: 0,
        error: error.code,
      },
      again: error.code !== 'too-large',
    };
  }
}

function waitOf({ retryAfter }: EdgeAnswer): number | undefined {
  return retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) * 1000 : undefined;
}
