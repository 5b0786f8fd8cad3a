import * as z from 'zod';
import { AwsError } from './operation.ts';

/**
 * Checks the input of an operation. Use strict schemas: a member that the local runtime does not
 * know is refused (`NotEmulated`) instead of being ignored; a wrong one is a `ValidationException`.
 */
export function parseInput<T>(operation: string, schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const unknown = result.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key].join('.')) : [],
  );
  if (unknown.length > 0) {
    throw new AwsError(
      'NotEmulated',
      `The local runtime does not emulate ${unknown.join(', ')} of ${operation}`,
      501,
    );
  }
  const reasons = result.error.issues.map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`);
  throw new AwsError('ValidationException', `${operation}: ${reasons.join('; ')}`);
}

/** A blob member: base64 on the wire, bytes in-process. */
export const blob = z.union([
  z.instanceof(Uint8Array),
  z.base64().transform((text): Uint8Array => Buffer.from(text, 'base64')),
]);

/** A timestamp member: seconds since the epoch on the wire, `Date` in-process. */
export const timestamp = z.union([z.date(), z.number().transform((seconds) => new Date(seconds * 1000))]);
