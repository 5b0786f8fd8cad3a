import { GetParametersByPathCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { onDependency } from '../../shared/dependency.ts';
import { isoTime } from '../clock.ts';
import { ObjectTooLargeError } from '../errors.ts';
import type { ConfigurationParameter } from './document.ts';
import { redacted } from './redact.ts';

/** Parameters are small, and this many are more than an account has by default. */
const maximumParameters = 10_000;

/**
 * The parameters below some paths, in the order of their names. Nothing is decrypted: a `SecureString` has no value here.
 *
 * @throws ObjectTooLargeError, DependencyError
 */
export async function readParameters(
  ssm: SSMClient,
  paths: readonly string[],
): Promise<ConfigurationParameter[]> {
  const found = new Map<string, ConfigurationParameter>();
  for (const Path of paths) {
    let NextToken: string | undefined;
    do {
      const page = await onDependency('SSM', `GetParametersByPath ${Path}`, () =>
        ssm.send(
          new GetParametersByPathCommand({
            Path,
            Recursive: true,
            WithDecryption: false,
            ...(NextToken && { NextToken }),
          }),
        ),
      );
      for (const {
        Name = '',
        Type = 'String',
        Value = '',
        Version = 0,
        LastModifiedDate,
      } of page.Parameters ?? []) {
        found.set(Name, {
          name: Name,
          type: Type,
          value: Type === 'SecureString' ? redacted : Value,
          version: Version,
          lastModified: isoTime(LastModifiedDate?.getTime() ?? 0),
        });
      }
      if (found.size > maximumParameters) {
        throw new ObjectTooLargeError(`There are more than ${maximumParameters} parameters below ${Path}.`);
      }
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
