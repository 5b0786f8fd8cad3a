import { createHash } from 'node:crypto';
import { decodeTime, ulid } from 'ulid';
import type * as z from 'zod';

/** How often a request may be repeated of which nothing has come to run, until it is answered with the last failure. */
const maximumIds = 10;

/** What was begun under an id, as its catalogue knows it. */
interface Begun {
  readonly state: string;
  readonly executionArn?: string | undefined;
}

/**
 * The id of what a request starts: its work id, or the next in line where what was begun under that has failed before it
 * ran. That has ended; the request is repeated to have another one. Whoever repeats it comes to the same id.
 *
 * @param workId a ULID; so is each id after it, of the same time.
 */
export async function idOfWork<S extends z.ZodType>(
  schema: S,
  workId: string,
  find: (id: z.output<S>) => Promise<Begun | undefined>,
): Promise<z.output<S>> {
  for (let number = 1; ; number++) {
    const id = schema.parse(number === 1 ? workId : numbered(workId, number));
    if (number === maximumIds) return id;
    const begun = await find(id);
    if (begun?.state !== 'failed' || begun.executionArn !== undefined) return id;
  }
}

/** A ULID whose 80 bits beside the time are a hash. */
function numbered(workId: string, number: number): string {
  const digest = createHash('sha256').update(`${workId} ${number}`).digest().values();
  return ulid(decodeTime(workId), () => ((digest.next().value ?? 0) & 31) / 32);
}
