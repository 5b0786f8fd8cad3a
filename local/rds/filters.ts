import * as z from 'zod';
import { AwsError } from '../aws/operation.ts';

export const filtersSchema = z
  .array(z.strictObject({ Name: z.string(), Values: z.array(z.string()).min(1) }))
  .default([]);

export type Filters = z.infer<typeof filtersSchema>;

/**
 * Applies RDS filters: an item has to match one value of each.
 *
 * @param properties for each filter that is known, the texts of an item that a value may equal.
 * @throws AwsError `InvalidParameterValue` for a filter that the operation does not have.
 */
export function filtered<T>(
  items: readonly T[],
  filters: Filters,
  properties: Readonly<Record<string, (item: T) => readonly string[]>>,
): T[] {
  const tests = filters.map(({ Name, Values }) => {
    const property = Object.hasOwn(properties, Name) ? properties[Name] : undefined;
    if (property === undefined) {
      throw new AwsError('InvalidParameterValue', `Unrecognized filter name: ${Name}`);
    }
    const wanted = new Set(Values.map((value) => value.toLowerCase()));
    return (item: T) => property(item).some((text) => wanted.has(text.toLowerCase()));
  });
  return items.filter((item) => tests.every((test) => test(item)));
}
