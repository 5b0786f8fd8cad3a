import { AwsError } from '../aws/operation.ts';
import type { LambdaDefinition } from './definition.ts';

/** A function as a caller names it. */
export interface FunctionReference {
  name: string;
  /** Version, alias or `$LATEST`, where the caller gave one. */
  qualifier?: string;
}

const pattern =
  /^(?:arn:[^:]+:lambda:[^:]*:\d{12}:function:|\d{12}:function:|function:)?([A-Za-z0-9_-]{1,64})(?::(\$LATEST|[A-Za-z0-9_-]{1,128}))?$/;

/**
 * Reads a function name, a partial or a full ARN, each with or without a qualifier.
 *
 * @throws {AwsError} `ValidationException` for anything else.
 */
export function parseFunctionReference(text: string): FunctionReference {
  const match = pattern.exec(text);
  const [, name, qualifier] = match ?? [];
  if (name === undefined) {
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value '${text}' at 'functionName' is not a function name or ARN`,
    );
  }
  return qualifier === undefined ? { name } : { name, qualifier };
}

/**
 * The version that a qualifier stands for: `$LATEST`, an alias or a version that an alias points at.
 *
 * @throws {AwsError} `ResourceNotFoundException` for a qualifier the function does not have.
 */
export function resolveVersion(definition: LambdaDefinition, qualifier: string | undefined): string {
  if (qualifier === undefined || qualifier === '$LATEST') return '$LATEST';
  const aliases = definition.aliases ?? {};
  const version = Object.hasOwn(aliases, qualifier) ? aliases[qualifier] : undefined;
  if (version !== undefined) return version;
  if (Object.values(aliases).includes(qualifier)) return qualifier;
  throw functionNotFound(`${definition.arn}:${qualifier}`);
}

/** The error for a function that does not exist. */
export function functionNotFound(arn: string): AwsError {
  return new AwsError('ResourceNotFoundException', `Function not found: ${arn}`, 404, { Type: 'User' });
}
