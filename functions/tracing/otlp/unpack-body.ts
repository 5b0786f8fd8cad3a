import { gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { Problem } from '../../shared/problem.ts';
import { maximumUnpackedBytes } from '../ingest/limits.ts';

type Unpack = (body: Uint8Array, options: { maxOutputLength: number }) => Buffer;

const unpackers = new Map<string, Unpack>([
  ['gzip', gunzipSync],
  ['deflate', inflateSync],
  ['zstd', zstdDecompressSync],
]);

/**
 * Undoes a body's `Content-Encoding`.
 *
 * @throws Problem 400 for a body that is not so encoded, 413 for one that is too large, 415 for another encoding.
 */
export function unpackBody(body: Uint8Array, contentEncoding: string | undefined): Buffer {
  const encoding = (contentEncoding ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '')
    return Buffer.from(body.buffer, body.byteOffset, body.length);
  const unpack = unpackers.get(encoding);
  if (unpack === undefined) {
    const known = [...unpackers.keys()].join(', ');
    throw new Problem('unsupported-media-type', `A body is encoded as one of ${known}, or not at all.`);
  }
  try {
    return unpack(body, { maxOutputLength: maximumUnpackedBytes });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new Problem('payload-too-large', `An unpacked body has at most ${maximumUnpackedBytes} bytes.`);
    }
    throw new Problem('invalid-request', `The body is not encoded as ${encoding}.`);
  }
}
