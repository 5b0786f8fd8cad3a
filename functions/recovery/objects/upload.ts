import type { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { onDependency } from '../../shared/dependency.ts';

/** 10 000 parts of this size are the most an object may have: about 80 GiB. */
const partBytes = 8 * 1024 * 1024;
/** Parts on their way at once; with the one being filled they bound the memory of an upload. */
const partsInFlight = 3;

/**
 * Stores a stream of unknown length, in parts as it comes; small ones in one request. S3 checks every part by
 * its checksum. A failed upload leaves no parts behind.
 *
 * @returns the version id; `null` where the bucket keeps no versions.
 * @throws DependencyError
 */
export async function upload(
  s3: S3Client,
  target: { bucket: string; key: string; contentType: string },
  body: Readable,
): Promise<string | null> {
  const task = new Upload({
    client: s3,
    params: {
      Bucket: target.bucket,
      Key: target.key,
      Body: body,
      ContentType: target.contentType,
    },
    partSize: partBytes,
    queueSize: partsInFlight,
    leavePartsOnError: false,
  });
  const stored = await onDependency('S3', `PutObject ${target.key}`, () => task.done());
  return stored.VersionId ?? null;
}
