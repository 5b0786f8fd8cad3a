import { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { onDependency } from '../../shared/dependency.ts';
import { NamedError } from '../../shared/named-error.ts';

/** There is no such log, or not any more. */
export class LogNotFound extends NamedError {}

/**
 * Opens a log for reading.
 *
 * @throws DependencyError, LogNotFound
 */
export async function openLog(s3: S3Client, bucket: string, key: string): Promise<AsyncIterable<Buffer>> {
  const { Body } = await onDependency('S3', `GetObject ${key}`, () =>
    s3.send(new GetObjectCommand({ Bucket: bucket, Key: key })),
  );
  if (!(Body instanceof Readable)) throw new LogNotFound(`There is nothing to read at ${key}.`);
  return Body;
}
