import * as z from 'zod';
import { Child } from './child.ts';

const readySchema = z.object({ ready: z.literal(true) });

/**
 * Runs a script in as many processes as there are jobs, all let go at once when every one of them is ready.
 *
 * @param script hears its job, says `{ ready: true }`, hears another message, works, and says its result.
 * @returns what they said, and the seconds from the word to begin to the last result.
 * @throws when one of them ends without a result; the others are killed then.
 */
export async function runTogether<T>(
  script: string,
  jobs: readonly object[],
  resultSchema: z.ZodType<T>,
): Promise<{ seconds: number; results: T[] }> {
  const children = jobs.map((job) => {
    const child = new Child(script);
    child.send(job);
    return child;
  });
  try {
    await Promise.all(children.map((child) => child.receive(readySchema)));
    const started = performance.now();
    for (const child of children) child.send({ begin: true });
    const results = await Promise.all(children.map((child) => child.receive(resultSchema)));
    const seconds = (performance.now() - started) / 1000;
    await Promise.all(children.map((child) => child.finish()));
    return { seconds, results };
  } catch (error) {
    await Promise.all(children.map((child) => child.kill()));
    throw error;
  }
}

/** Adds up a number of each result. */
export const sumOf = <T>(results: readonly T[], of: (result: T) => number): number =>
  results.reduce((total, result) => total + of(result), 0);
