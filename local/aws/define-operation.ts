import type * as z from 'zod';
import { parseInput } from './input.ts';
import type { Authorization, Operation, OperationContext } from './operation.ts';

/** An operation over its parsed input. */
export interface TypedOperation<T> {
  /** What IAM must allow. */
  authorize(input: T, context: OperationContext): Authorization[];
  run(input: T, context: OperationContext): unknown;
}

/**
 * An operation whose input a schema checks before anything else happens. `name` is for messages, for
 * example `kms:Encrypt`.
 */
export function defineOperation<T>(
  name: string,
  schema: z.ZodType<T>,
  operation: TypedOperation<T>,
): Operation {
  return {
    authorize: (input, context) => operation.authorize(parseInput(name, schema, input), context),
    run: (input, context) => operation.run(parseInput(name, schema, input), context),
  };
}
