import { Readable } from 'node:stream';
import { DependencyError, onDependency } from '../../shared/dependency.ts';
import { UploadMismatchError } from '../errors.ts';
import type { Bucket, ByteRange, ObjectVersion } from '../objects/bucket.ts';

/**
 * The bytes of a range of an object's version. Leaving the loop closes the connection.
 *
 * @throws DependencyError when S3 gives fewer; UploadMismatchError when there is no such version.
 */
export async function* readRange(
  bucket: Bucket,
  object: ObjectVersion,
  range: ByteRange,
): AsyncGenerator<Buffer> {
  if (range.bytes === 0) return;
  const answer = await bucket.open(object, range);
  const body = answer?.Body;
  if (!(body instanceof Readable)) throw new UploadMismatchError(`${object.key} is gone.`);
  // Closing it early is no failure of anybody's.
  body.on('error', () => undefined);
  const pieces: AsyncIterator<Buffer> = body[Symbol.asyncIterator]();
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await onDependency('S3', `GetObject ${object.key}`, () => pieces.next());
      if (done === true) break;
      bytes += value.length;
      yield value;
    }
  } finally {
    body.destroy();
  }
  if (bytes !== range.bytes) {
    throw new DependencyError(`S3 gave ${bytes} of ${range.bytes} bytes of ${object.key}.`);
  }
}
