import { NamedError } from './named-error.ts';

/** An AWS service did not do what was asked, after all attempts. Worth another try later. */
export class DependencyError extends NamedError {}

/** The dependency, as an operator knows it. */
export type Dependency =
  | 'S3'
  | 'KMS'
  | 'DynamoDB'
  | 'RDS'
  | 'Step Functions'
  | 'Lambda'
  | 'EventBridge'
  | 'SSM'
  | 'Scheduler'
  | 'Secrets Manager'
  | 'CloudWatch';

/**
 * Runs one call to an AWS service whose client has a bounded number of attempts.
 *
 * @throws DependencyError naming service, call and the service's own error.
 */
export async function onDependency<T>(
  dependency: Dependency,
  call: string,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof NamedError) throw error;
    throw new DependencyError(`${dependency} did not complete ${call}: ${describe(error)}`, { cause: error });
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const attempts = '$metadata' in error && isMetadata(error.$metadata) ? error.$metadata.attempts : undefined;
  const text = error.message === '' ? error.name : `${error.name}: ${error.message}`;
  return attempts === undefined ? text : `${text} (attempts: ${attempts})`;
}

function isMetadata(value: unknown): value is { attempts?: number } {
  return typeof value === 'object' && value !== null;
}
