import type * as z from 'zod';
import { idOfWork } from '../recovery/id-of-work.ts';

/** Why work has failed that has never run. */
export const notStarted = { code: 'NotStarted', message: 'Its workflow could not be started.' } as const;

/** What is known of work that was begun. */
interface Begun {
  readonly state: string;
  readonly error?: { readonly code: string } | undefined;
}

/**
 * The id of work: its own, or the next in line where its workflow could not be started under that. Whoever repeats the request comes to
 * the same one.
 *
 * @throws what `find` throws
 */
export function idToStart<S extends z.ZodType>(
  schema: S,
  workId: string,
  find: (id: z.output<S>) => Promise<Begun | undefined>,
): Promise<z.output<S>> {
  return idOfWork(schema, workId, async (id) => {
    const begun = await find(id);
    const executionArn = begun?.error?.code === notStarted.code ? undefined : 'begun';
    return begun && { state: begun.state, executionArn };
  });
}
