import type { IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { AwsError } from './operation.ts';

/**
 * The body that a client compressed on its way: the SDK's clients do for some operations from 10 KB on, CloudWatch's
 * `PutMetricData` among them.
 *
 * @throws AwsError when it is not what its header says, or becomes larger than `limit` bytes.
 */
export function decodeContent(request: IncomingMessage, body: Buffer, limit: number): Buffer {
  const encoding = request.headers['content-encoding']?.trim().toLowerCase();
  if (encoding === undefined || encoding === 'identity' || encoding === '') return body;
  if (encoding !== 'gzip') {
    throw new AwsError('SerializationException', `The content encoding ${encoding} is not supported`, 400);
  }
  try {
    return gunzipSync(body, { maxOutputLength: limit });
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    const message = tooLarge ? `The body is larger than ${limit} bytes` : 'The body is not gzip';
    throw new AwsError(
      tooLarge ? 'RequestEntityTooLarge' : 'SerializationException',
      message,
      tooLarge ? 413 : 400,
    );
  }
}
