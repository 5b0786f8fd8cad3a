import { invalidArgument } from '../errors.ts';

/** A whole number from a query parameter or header. @throws `InvalidArgument` (400). */
export function readInteger(
  value: string | undefined,
  options: { name: string; minimum: number; maximum: number; message: string },
): number | undefined {
  if (value === undefined) return undefined;
  const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (number >= options.minimum && number <= options.maximum) return number;
  throw invalidArgument(options.message, options.name, value);
}
