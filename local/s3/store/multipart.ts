import { combineCrcs } from '../checksums/crc-combine.ts';
import { digestOf } from '../checksums/digests.ts';
import { invalidRequest, noSuchUpload, S3Error } from '../errors.ts';
import type { Checksum, PartSummary, StoredVersion } from '../model.ts';
import type { Cause, ObjectStore, WriteCondition } from './object-store.ts';
import type { StoredPart, Upload } from './upload-table.ts';

const smallestPart = 5 * 1024 * 1024;

/** A part as the client names it when it completes an upload. */
export interface NamedPart {
  number: number;
  etag: string;
  checksum?: string;
}

/** The upload. @throws `NoSuchUpload` (404). */
export function requireUpload(store: ObjectStore, bucket: string, key: string, uploadId: string): Upload {
  const upload = store.uploads.get(bucket, key, uploadId);
  if (!upload) throw noSuchUpload(uploadId);
  return upload;
}

/** Stores a part that was staged, in place of an earlier one with its number. On any error it is discarded. */
export function putPart(store: ObjectStore, upload: Upload, part: StoredPart): void {
  try {
    store.database.transaction(() => {
      // The upload may have been completed or aborted while the part's bytes were coming in.
      requireUpload(store, upload.bucket, upload.key, upload.uploadId);
      const replaced = store.uploads.putPart(upload.uploadId, part);
      store.blobs.publish(part.file);
      if (replaced !== undefined) store.database.afterCommit(() => store.blobs.remove([replaced]));
    });
  } catch (error) {
    store.blobs.discard(part.file);
    throw error;
  }
}

/** Ends an upload without an object and removes its parts. @throws `NoSuchUpload` (404). */
export function abortUpload(store: ObjectStore, bucket: string, key: string, uploadId: string): void {
  store.database.transaction(() => {
    const files = store.uploads.remove(requireUpload(store, bucket, key, uploadId));
    store.database.afterCommit(() => store.blobs.remove(files));
  });
}

/**
 * Makes an object of an upload's parts; nothing is copied, the object keeps the parts' files.
 *
 * @param named the parts to use, by number; others are dropped.
 * @param expected what the client says about the whole object.
 * @throws `InvalidPartOrder`, `InvalidPart`, `EntityTooSmall`, `BadDigest`, `PreconditionFailed`.
 */
export function completeUpload(
  store: ObjectStore,
  upload: Upload,
  named: readonly NamedPart[],
  expected: { checksum?: string; size?: number },
  options: { condition: WriteCondition; cause: Cause },
): StoredVersion {
  const stored = new Map(store.uploads.parts(upload.uploadId).map((part) => [part.number, part]));
  requireOrder(named);
  const parts = named.map((part, index) =>
    choosePart(upload, part, stored.get(part.number), index === named.length - 1),
  );
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  if (expected.size !== undefined && expected.size !== size) {
    throw invalidRequest('The provided x-amz-mp-object-size header value does not match the object size');
  }
  const checksum = wholeChecksum(upload, parts);
  const claimed = expected.checksum;
  if (claimed !== undefined && checksum && claimed !== checksum.value && claimed !== plain(checksum)) {
    throw new S3Error(
      'BadDigest',
      `The ${checksum.algorithm} you specified did not match the calculated checksum.`,
      400,
    );
  }

  const used = new Set(parts.map((part) => part.file));
  return store.database.transaction(() => {
    const unused = store.uploads.remove(upload).filter((file) => !used.has(file));
    store.database.afterCommit(() => store.blobs.remove(unused));
    return store.put(
      upload.bucket,
      {
        key: upload.key,
        createdAt: upload.createdAt,
        size,
        etag: entityTagOfParts(parts.map((part) => part.etag)),
        storageClass: upload.storageClass,
        attributes: { ...upload.attributes, parts: parts.map(summary), ...(checksum && { checksum }) },
        uploadId: upload.uploadId,
      },
      parts.map(({ file, size }) => ({ file, size })),
      { ...options, published: true },
    );
  });
}

/** The entity tag of an object in parts: a hash of their entity tags, and how many they are. */
export function entityTagOfParts(etags: readonly string[]): string {
  return `${digestOf('MD5', Buffer.from(etags.join(''), 'hex')).toString('hex')}-${etags.length}`;
}

function requireOrder(named: readonly NamedPart[]): void {
  for (const [index, part] of named.entries()) {
    if (part.number > (named[index - 1]?.number ?? 0)) continue;
    throw new S3Error(
      'InvalidPartOrder',
      'The list of parts was not in ascending order. Parts must be ordered by part number.',
      400,
    );
  }
}

function choosePart(
  upload: Upload,
  named: NamedPart,
  part: StoredPart | undefined,
  isLast: boolean,
): StoredPart {
  if (upload.checksumChosen && upload.checksum.type === 'COMPOSITE' && named.checksum === undefined) {
    const name = upload.checksum.algorithm.toLowerCase();
    throw invalidRequest(
      `The upload was created using a ${name} checksum. The complete request must include the checksum for each part. It was missing for part ${named.number} in the request.`,
    );
  }
  const matches =
    part?.etag === named.etag && (named.checksum === undefined || named.checksum === part?.checksum.value);
  if (!part || !matches) {
    throw new S3Error(
      'InvalidPart',
      "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
      400,
      { UploadId: upload.uploadId, PartNumber: named.number, ETag: named.etag },
    );
  }
  if (!isLast && part.size < smallestPart) {
    throw new S3Error(
      'EntityTooSmall',
      'Your proposed upload is smaller than the minimum allowed size',
      400,
      { ProposedSize: part.size, MinSizeAllowed: smallestPart, PartNumber: part.number, ETag: part.etag },
    );
  }
  return part;
}

function wholeChecksum(upload: Upload, parts: readonly StoredPart[]): Checksum | undefined {
  const { algorithm, type } = upload.checksum;
  const pieces = parts.map((part) => ({
    crc: Buffer.from(part.checksum.value, 'base64'),
    length: part.size,
  }));
  if (type === 'COMPOSITE') {
    const digest = digestOf(algorithm, Buffer.concat(pieces.map((piece) => piece.crc)));
    return { algorithm, type, value: `${digest.toString('base64')}-${parts.length}` };
  }
  if (algorithm !== 'CRC32' && algorithm !== 'CRC32C' && algorithm !== 'CRC64NVME') return undefined;
  return { algorithm, type, value: combineCrcs(algorithm, pieces).toString('base64') };
}

/** The checksum without the number of parts, as clients also send it. */
function plain(checksum: Checksum): string {
  return checksum.value.replace(/-\d+$/, '');
}

function summary({ number, size, etag, checksum }: StoredPart): PartSummary {
  return { number, size, etag, checksum };
}
