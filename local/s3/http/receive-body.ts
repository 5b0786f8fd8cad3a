import { randomBytes } from 'node:crypto';
import { type ChecksumAlgorithm, Digests } from '../checksums/digests.ts';
import { notImplemented, S3Error } from '../errors.ts';
import type { Checksum, DataFile, Encryption } from '../model.ts';
import type { S3Call } from './call.ts';
import { type DeclaredChecksums, declaredValue } from './checksum-headers.ts';

/** Largest object or part that one request may carry, in bytes. */
export const largestBody = 5 * 1024 * 1024 * 1024;

/** A body that has been written to a staged file. */
export interface ReceivedBody {
  file: DataFile;
  etag: string;
  checksum: Checksum;
}

/** Bytes to be stored, and what is to be computed of them on the way. */
interface Incoming {
  source: AsyncIterable<Uint8Array>;
  algorithm: ChecksumAlgorithm;
  encryption: Encryption;
}

/**
 * Stores the request's body in a staged file and compares it with all that was said about it.
 *
 * @param algorithm of the checksum to keep.
 * @throws `BadDigest`, `IncompleteBody`, `EntityTooLarge`, `MissingContentLength`; nothing is left then.
 */
export async function receiveBody(
  call: S3Call,
  declared: DeclaredChecksums,
  options: { algorithm: ChecksumAlgorithm; encryption: Encryption },
): Promise<ReceivedBody> {
  requireLength(call);
  const extra = [
    ...(declared.md5 ? (['MD5'] as const) : []),
    ...(declared.algorithm ? [declared.algorithm] : []),
  ];
  const { received, digests } = await stageBytes(call, { ...options, source: call.request.body }, extra);
  try {
    if (declared.md5 && !digests.get('MD5')?.equals(declared.md5)) {
      throw badDigest('The Content-MD5 you specified did not match what we received.');
    }
    const value = declaredValue(call, declared);
    if (declared.algorithm && digests.get(declared.algorithm)?.toString('base64') !== value) {
      throw badDigest(`The ${declared.algorithm} you specified did not match the calculated checksum.`);
    }
    const length = call.request.contentLength;
    if (length !== undefined && length !== received.file.size) {
      throw new S3Error(
        'IncompleteBody',
        'You did not provide the number of bytes specified by the Content-Length HTTP header',
        400,
      );
    }
  } catch (error) {
    call.store.blobs.discard(received.file.file);
    throw error;
  }
  return received;
}

/** Stores the bytes of a copy's source in a staged file. */
export async function receiveCopy(call: S3Call, incoming: Incoming): Promise<ReceivedBody> {
  return (await stageBytes(call, incoming, [])).received;
}

async function stageBytes(
  call: S3Call,
  { source, algorithm, encryption }: Incoming,
  extra: readonly ChecksumAlgorithm[],
): Promise<{ received: ReceivedBody; digests: Digests }> {
  // With KMS an entity tag says nothing about the bytes on AWS; nobody shall come to rely on it here.
  const opaque = encryption.algorithm !== 'AES256';
  const digests = new Digests(new Set([...(opaque ? [] : (['MD5'] as const)), algorithm, ...extra]));
  let size = 0;
  const file = await call.store.blobs.stage(source, (chunk) => {
    size += chunk.byteLength;
    if (size > largestBody) throw entityTooLarge(size);
    digests.update(chunk);
  });
  const etag = opaque ? randomBytes(16).toString('hex') : (digests.get('MD5')?.toString('hex') ?? '');
  const value = digests.get(algorithm)?.toString('base64') ?? '';
  return { received: { file, etag, checksum: { algorithm, value, type: 'FULL_OBJECT' } }, digests };
}

function requireLength(call: S3Call): void {
  const length = call.request.contentLength;
  if (length === undefined) {
    if (call.header('transfer-encoding')) throw notImplemented('Transfer-Encoding');
    throw new S3Error('MissingContentLength', 'You must provide the Content-Length HTTP header.', 411);
  }
  if (length > largestBody) throw entityTooLarge(length);
}

function entityTooLarge(size: number): S3Error {
  return new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', 400, {
    ProposedSize: size,
    MaxSizeAllowed: largestBody,
  });
}

function badDigest(message: string): S3Error {
  return new S3Error('BadDigest', message, 400);
}
