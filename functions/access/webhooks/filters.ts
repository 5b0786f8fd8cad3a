import * as z from 'zod';

/** Which events an endpoint is told of: one type, all types below a prefix (`backup.*`), or all (`*`). */
export const filterSchema = z
  .string()
  .max(100)
  .regex(
    /^(\*|[a-z0-9_-]+(\.[a-z0-9_-]+)*(\.\*)?)$/,
    'is a type of event such as `backup.completed`, a prefix such as `backup.*`, or `*`',
  );

/** Whether one of the filters lets events of this type through. */
export function matchesAny(filters: readonly string[], type: string): boolean {
  return filters.some((filter) =>
    filter.endsWith('*') ? type.startsWith(filter.slice(0, -1)) : type === filter,
  );
}
