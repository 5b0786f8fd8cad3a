import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { onDependency } from '../../shared/dependency.ts';
import { isChecksumMismatch } from '../errors.ts';
import type { StoredObject } from '../workflow.ts';
import type { Bucket } from './bucket.ts';

/** Objects up to this size are read once and kept while they are checked; larger ones are read twice. */
const keptBytes = 64 * 1024 * 1024;

/** What is wrong with an object. */
export interface ObjectProblem {
  readonly problem: 'missing' | 'truncated' | 'size-mismatch' | 'hash-mismatch';
  readonly detail: string;
}

/** The stored bytes, after they were found to be the ones that were written. */
export interface IntactObject {
  /** Opens the bytes for reading. */
  open(): Promise<Readable>;
}

/**
 * Reads an object's version to its end and compares size and SHA-256 with what was recorded when it was written.
 * The Encryption SDK's decryption of bytes that are not those of a message is never relied on.
 *
 * @throws DependencyError when S3 does not answer.
 */
export async function checkBytes(
  bucket: Bucket,
  object: StoredObject,
): Promise<IntactObject | ObjectProblem> {
  const keep = object.storedBytes <= keptBytes;
  const pieces: Uint8Array[] = [];
  const hash = createHash('sha256');
  let bytes = 0;
  const found = await readAll(bucket, object, (piece) => {
    hash.update(piece);
    bytes += piece.length;
    if (keep) pieces.push(piece);
  });
  if (found === undefined) {
    const version = object.versionId === null ? '' : ` version ${object.versionId} of`;
    return { problem: 'missing', detail: `There is no${version} this object.` };
  }
  if (found === 'checksum') {
    const detail = `It does not have the checksum that S3 keeps with it; SHA-256 ${object.sha256} was stored.`;
    return { problem: 'hash-mismatch', detail };
  }
  if (bytes !== object.storedBytes) {
    const problem = bytes < object.storedBytes ? 'truncated' : 'size-mismatch';
    return { problem, detail: `It has ${bytes} bytes; ${object.storedBytes} were stored.` };
  }
  const sha256 = hash.digest('hex');
  if (sha256 !== object.sha256) {
    return { problem: 'hash-mismatch', detail: `Its SHA-256 is ${sha256}; ${object.sha256} was stored.` };
  }
  return { open: async () => (keep ? Readable.from(pieces) : reopen(bucket, object)) };
}

export const isProblem = (result: IntactObject | ObjectProblem): result is ObjectProblem =>
  'problem' in result;

/** @returns nothing when there is no such object; `checksum` when the SDK itself found that bytes have changed. */
async function readAll(
  bucket: Bucket,
  object: StoredObject,
  take: (piece: Uint8Array) => void,
): Promise<'read' | 'checksum' | undefined> {
  const answer = await bucket.open(object);
  if (answer === undefined) return undefined;
  const { Body } = answer;
  if (!(Body instanceof Readable)) return 'read';
  return onDependency('S3', `GetObject ${object.key}`, async () => {
    try {
      for await (const piece of Body) take(piece);
      return 'read';
    } catch (error) {
      if (isChecksumMismatch(error)) return 'checksum';
      throw error;
    }
  });
}

async function reopen(bucket: Bucket, object: StoredObject): Promise<Readable> {
  const answer = await bucket.open(object);
  const body = answer?.Body;
  return body instanceof Readable ? body : Readable.from([]);
}
