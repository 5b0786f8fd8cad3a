import * as z from 'zod';

/** What is counted of a log by everybody who is measured. */
export const countedSchema = z.object({
  requests: z.int(),
  bytes: z.int(),
  hits: z.int(),
  misses: z.int(),
  /** Answers with a status of 500 or more. */
  serverErrors: z.int(),
  /** The hundred paths with the most requests, most first. */
  paths: z.array(z.tuple([z.string(), z.int()])),
  /** How much the count of a path may be too low; 0: exact. */
  pathError: z.int().default(0),
  /** How long it took, without the start of the process; absent: the whole process is measured. */
  seconds: z.number().optional(),
});
export type Counted = z.output<typeof countedSchema>;

/**
 * In what a result differs from an exact one: totals have to be equal, and the counts of the hundred first paths within the stated bound.
 *
 * @returns nothing where it does not differ.
 */
export function differenceFrom(exact: Counted, found: Counted): string | undefined {
  for (const name of ['requests', 'bytes', 'hits', 'misses', 'serverErrors'] as const) {
    if (found[name] !== exact[name]) return `${name} are ${found[name]}, not ${exact[name]}`;
  }
  const counts = new Map(found.paths);
  const least = Math.min(...counts.values());
  if (counts.size !== exact.paths.length) return `there are ${counts.size} paths, not ${exact.paths.length}`;
  for (const [path, count] of exact.paths) {
    // A path that is not among the first may lack what the least of them has.
    const own = counts.get(path) ?? Math.min(least, count);
    if (own > count || own + found.pathError < count) return `${path} has ${own}, not ${count}`;
  }
  return undefined;
}

/** The hundred with the most requests, equal ones by their paths. */
export const firstOf = (paths: readonly (readonly [string, number])[]): [string, number][] =>
  paths
    .map(([path, count]): [string, number] => [path, count])
    .sort(([one, a], [other, b]) => b - a || (one < other ? -1 : 1))
    .slice(0, 100);
